#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes requant_gemmlowp.bin: requantisations of the rounding mode `gemmlowp` (double rounding) by TFLite's reference kernels.

    python3 -m venv venv && venv/bin/pip install ai-edge-litert==2.3.0 flatbuffers==25.12.19 numpy==2.4.6
    venv/bin/python make_gemmlowp.py

The operator CONV_2D on int8 with 1 x 1 filters of zeros, whose int32 bias is the accumulator of its channel, with the op resolver
BUILTIN_REF; the release is built with double rounding, TFLite's default. TFLite takes no multiplier and shift but makes them: from
the product of the input's scale, of the filter's scale of that channel, in double. So a case is given by these two float32, and
`stream.quantised_multiplier` repeats QuantizeMultiplier. Cases in which TFLite's int32 would wrap do not occur. uint8 with zero
point z is int8 with z - 128, as TFLite itself has no uint8 with scales per channel. Cases and file: stream.py.
"""

import flatbuffers
import numpy as np
from ai_edge_litert import interpreter as litert
from ai_edge_litert import schema_py_generated as schema

import stream


def quantisation(scales, zero_points) -> schema.QuantizationParametersT:
    made = schema.QuantizationParametersT()
    made.scale = np.asarray(scales, np.float32)
    made.zeroPoint = np.asarray(zero_points, np.int64)
    made.quantizedDimension = 0
    return made


def model(a: np.float32, f: np.ndarray, bias: np.ndarray, zero_point: int) -> bytes:
    """Gives a model of one CONV_2D: 1 x 1 x 1 x 1 to n channels of these filter scales and biases."""
    n = len(f)

    def tensor(name, shape, element, buffer, scales, zero_points):
        made = schema.TensorT()
        made.name, made.shape, made.type, made.buffer = name, shape, element, buffer
        made.quantization = quantisation(scales, zero_points)
        return made

    types = schema.TensorType
    graph = schema.SubGraphT()
    graph.tensors = [
        tensor("x", [1, 1, 1, 1], types.INT8, 0, [a], [0]),
        tensor("w", [n, 1, 1, 1], types.INT8, 1, f, [0] * n),
        tensor("bias", [n], types.INT32, 2, f * a, [0] * n),
        tensor("y", [1, 1, 1, n], types.INT8, 0, [1.0], [zero_point]),
    ]
    conv = schema.OperatorT()
    conv.opcodeIndex, conv.inputs, conv.outputs = 0, [0, 1, 2], [3]
    conv.builtinOptionsType = schema.BuiltinOptions.Conv2DOptions
    conv.builtinOptions = schema.Conv2DOptionsT()
    conv.builtinOptions.padding = schema.Padding.VALID
    conv.builtinOptions.strideW = conv.builtinOptions.strideH = 1
    conv.builtinOptions.dilationWFactor = conv.builtinOptions.dilationHFactor = 1
    graph.operators, graph.inputs, graph.outputs = [conv], [0], [3]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CONV_2D
    code.version = 3
    buffers = [schema.BufferT() for _ in range(3)]
    buffers[1].data = np.zeros(n, np.uint8)
    buffers[2].data = bias.astype("<i4").view(np.uint8)
    whole = schema.ModelT()
    whole.version, whole.operatorCodes, whole.subgraphs, whole.buffers = 3, [code], [graph], buffers
    builder = flatbuffers.Builder(1024)
    builder.Finish(whole.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def conv(a: np.float32, f: np.ndarray, bias: np.ndarray, zero_point: int) -> np.ndarray:
    """Gives the int8 results of the channels."""
    made = litert.Interpreter(
        model_content=model(a, f, bias, zero_point),
        experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF,
    )
    made.allocate_tensors()
    made.set_tensor(made.get_input_details()[0]["index"], np.zeros((1, 1, 1, 1), np.int8))
    made.invoke()
    return made.get_tensor(made.get_output_details()[0]["index"]).reshape(-1).astype(np.int64)


def by_litert(cases: dict) -> np.ndarray:
    """Gives the results as bytes. Cases of one `a` and zero point are the channels of one model."""
    shift_u8 = np.where(cases["dtype"] == 1, 128, 0)
    zero_point = cases["zero_point"] - shift_u8
    q = np.zeros(len(zero_point), np.int64)
    key = cases["a"].view(np.uint32).astype(np.int64) * 256 + zero_point + 128
    order = np.argsort(key, kind="stable")
    for chosen in np.split(order, np.flatnonzero(np.diff(key[order])) + 1):
        one = chosen[0]
        q[chosen] = conv(cases["a"][one], cases["f"][chosen], cases["acc"][chosen], int(zero_point[one]))
    return ((q + shift_u8) & 255).astype(np.uint8)


def factors(m: np.ndarray, shift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gives float32 a and f from which TFLite makes these multipliers and shifts."""
    first = {0: np.float32(1), 2**30: np.float32(1), 3 * 2**29: np.float32(1)}
    for wanted in np.unique(m):
        candidates = (np.arange(4096, dtype=np.uint32) * np.uint32(2017) + np.uint32(0x3F800001)).view(np.float32)
        f = (wanted / 2.0**31 / candidates.astype(np.float64)).astype(np.float32)
        found, exponent = stream.quantised_multiplier(candidates.astype(np.float64) * f.astype(np.float64))
        good = np.flatnonzero((found == wanted) & (exponent == 0))
        if wanted not in first:
            first[wanted] = candidates[good[0]]
    a = np.array([first[int(one)] for one in m], np.float32)
    f = (m / 2.0**31 / a.astype(np.float64)).astype(np.float32) * np.exp2(shift.astype(np.float32))
    f = np.where(m == 0, np.float32(2.0**-40), f).astype(np.float32)
    return a, f


def main() -> None:
    fixed = stream.fixed_cases(29)
    # TFLite makes a multiplier of 0 with a shift of 0 only.
    keep = (fixed["scale"] != 0) | (fixed["shift"] == 0)
    fixed = {name: column[keep] for name, column in fixed.items()}
    fixed["a"], fixed["f"] = factors(fixed["scale"], fixed["shift"])
    made = stream.quantised_multiplier(fixed["a"].astype(np.float64) * fixed["f"].astype(np.float64))
    assert (made[0] == fixed["scale"]).all() and (made[1] == fixed["shift"]).all()
    columns = [fixed[name] for name in ("acc", "scale", "shift", "zero_point", "dtype")]
    record = stream.explicit(*columns, by_litert(fixed).astype(np.int64))
    stream.write("requant_gemmlowp.bin", b"QRGEMML1", record, stream.digests(by_litert(stream.cases("gemmlowp"))))


if __name__ == "__main__":
    main()
