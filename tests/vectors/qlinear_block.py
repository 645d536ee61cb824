#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes qlinear_block.bin: residual blocks as ONNX Runtime computes them, y = relu(conv(relu(conv(x))) + x) in 8 bits.

    python3 -m venv venv && venv/bin/pip install numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
    venv/bin/python qlinear_block.py

Operators: QLinearConv (3 x 3, padded by 1), QLinearConv, com.microsoft.QLinearAdd; relu is the maximum with the zero point of its
operand. Weights are s8 within -63..63, so that no kernel of the runtime saturates pairs of products; they have a scale per channel.

File (little-endian):
    0   8 bytes   magic "QBLKONX1"
    8   u32       number of blocks
    blocks:       u32 type (0 s8, 1 u8), channels C, height H, width W
                  f32 scales of x, of the first and of the second convolution's result, of the sum;   i32 their zero points
                  twice: f32 scales of the weights [C], i32 bias [C], s8 weights [C, 3, 3, C] (output channel, line, column, input channel)
                  x [H, W, C], the relu of the first convolution [H, W, C], the result [H, W, C], a byte each
    end 32 bytes  SHA-256 of all before

The file comes out the same byte for byte on each run.
"""

import hashlib
import pathlib
import struct

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

MAGIC = b"QBLKONX1"
SEED = 22
TYPES = [(np.int8, TensorProto.INT8), (np.uint8, TensorProto.UINT8)]
# Type, channels, height, width: more than a tile in every direction, ragged ones, a layer's.
BLOCKS = [(1, 16, 14, 14), (0, 24, 9, 11), (1, 70, 5, 7)]
F = np.float32


def model(kind, c, scales, zeros, convolutions):
    numpy_type, onnx_type = TYPES[kind]
    constants = {"x_scale": scales[0], "a_scale": scales[1], "b_scale": scales[2], "y_scale": scales[3]}
    for name, zero in zip("xaby", zeros):
        constants[f"{name}_zero"] = numpy_type(zero)
    for index, (w_scales, bias, weights) in enumerate(convolutions):
        constants |= {f"w{index}_scale": w_scales, f"w{index}_zero": np.zeros(c, np.int8), f"bias{index}": bias}
        constants[f"w{index}"] = np.ascontiguousarray(weights.transpose(0, 3, 1, 2))
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]

    def convolution(source, index, target):
        inputs = [source, f"{source[0]}_scale", f"{source[0]}_zero", f"w{index}", f"w{index}_scale", f"w{index}_zero"]
        inputs += [f"{target}_scale", f"{target}_zero", f"bias{index}"]
        return helper.make_node("QLinearConv", inputs, [target], pads=[1, 1, 1, 1])

    terms = ["b", "b_scale", "b_zero", "x", "x_scale", "x_zero", "y_scale", "y_zero"]
    nodes = [
        convolution("x", 0, "a"),
        helper.make_node("Max", ["a", "a_zero"], ["a_relu"]),
        convolution("a_relu", 1, "b"),
        helper.make_node("QLinearAdd", terms, ["sum"], domain="com.microsoft"),
        helper.make_node("Max", ["sum", "y_zero"], ["y"]),
    ]
    shaped = [helper.make_tensor_value_info(name, onnx_type, [1, c, None, None]) for name in ("x", "a_relu", "y")]
    graph = helper.make_graph(nodes, "block", shaped[:1], shaped[1:], tensors)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def block(rng, kind, c, h, w) -> bytes:
    numpy_type, _ = TYPES[kind]
    low = np.iinfo(numpy_type).min
    zeros = [int(z) for z in low + rng.integers(60, 190, 4)]
    scales = [F(s) for s in rng.uniform(0.01, 0.05, 4)]
    convolutions = []
    for source, target in [(0, 1), (1, 2)]:
        # Results that use most of their range.
        w_scales = (scales[target] / scales[source] / rng.uniform(20, 40, c) / np.sqrt(9 * c)).astype(F)
        bias = rng.integers(-2000, 2000, c).astype(np.int32)
        convolutions.append((w_scales, bias, rng.integers(-63, 64, (c, 3, 3, c)).astype(np.int8)))
    x = (low + rng.integers(0, 256, (h, w, c))).astype(numpy_type)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    serialised = model(kind, c, scales, zeros, convolutions).SerializeToString()
    session = onnxruntime.InferenceSession(serialised, options, providers=["CPUExecutionProvider"])
    inner, y = (t[0].transpose(1, 2, 0) for t in session.run(None, {"x": np.ascontiguousarray(x.transpose(2, 0, 1))[None]}))
    for name, tensor, zero in [("inner", inner, zeros[1]), ("y", y, zeros[3])]:
        print(f"{numpy_type.__name__} {h}x{w}x{c} {name}: {len(np.unique(tensor))} values, {(tensor == zero).mean():.0%} at the zero point")
    data = struct.pack("<4I4f4i", kind, c, h, w, *scales, *zeros)
    for w_scales, bias, weights in convolutions:
        data += w_scales.tobytes() + bias.tobytes() + weights.tobytes()
    return data + b"".join(np.ascontiguousarray(t).tobytes() for t in (x, inner, y))


def main() -> None:
    rng = np.random.default_rng(SEED)
    data = MAGIC + struct.pack("<I", len(BLOCKS)) + b"".join(block(rng, *shape) for shape in BLOCKS)
    data += hashlib.sha256(data).digest()
    pathlib.Path(__file__).with_name("qlinear_block.bin").write_bytes(data)
    print(f"{len(data):,} bytes")


main()
