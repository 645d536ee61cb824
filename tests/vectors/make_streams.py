#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes requant_onnx_stream.bin and requant_fp32.bin: a million requantisations of the mode `onnx`, and a million fp32 results.

    python3 -m venv venv && venv/bin/pip install numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
    venv/bin/python make_streams.py

As in make.py, whose functions are used: NumPy's float32 arithmetic and ONNX Runtime's operators, which must agree on each of the
million. fp32 results are float32(float32(acc) * scale): NumPy, ONNX Runtime's Cast and Mul, and for every 500th case its operator
MatMulIntegerToFloat (com.microsoft), with acc as a sum of products and the scale of its column. An acc of 0 gives +0. Cases and files: stream.py.
"""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

import make
import stream


def fp32_by_operators(acc: np.ndarray, scale: np.ndarray) -> np.ndarray:
    nodes = [
        helper.make_node("Cast", ["acc"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["x", "scale"], ["y"]),
    ]
    inputs = [
        helper.make_tensor_value_info("acc", TensorProto.INT32, ["n"]),
        helper.make_tensor_value_info("scale", TensorProto.FLOAT, ["n"]),
    ]
    return run(nodes, inputs, "y", {"acc": acc, "scale": scale})


def fp32_by_matmul(acc: np.ndarray, scale: np.ndarray) -> np.ndarray:
    names = ["a", "b", "a_scale", "b_scale"]
    types = [TensorProto.INT8, TensorProto.INT8, TensorProto.FLOAT, TensorProto.FLOAT]
    shapes = [[1, "k"], ["k", "n"], [], ["n"]]
    inputs = [helper.make_tensor_value_info(*of) for of in zip(names, types, shapes)]
    node = helper.make_node("MatMulIntegerToFloat", names, ["y"], domain="com.microsoft")
    y = np.empty(len(acc), np.float32)
    order = np.argsort(np.abs(acc.astype(np.int64)), kind="stable")
    for part in np.array_split(order, -(-len(order) // 16)):
        b = make.columns_for(acc[part])
        a = np.full((1, len(b)), 127, np.int8)
        a[0, -1] = 1
        y[part] = run([node], inputs, "y", {"a": a, "b": b, "a_scale": np.array(1, np.float32), "b_scale": scale[part]})[0]
    return y


def run(nodes: list, inputs: list, output: str, feed: dict) -> np.ndarray:
    outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)]
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(helper.make_graph(nodes, "fp32", inputs, outputs), opset_imports=opsets, ir_version=10)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    made = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return made.run([output], feed)[0]


def main() -> None:
    none = np.zeros(0, stream.FIELDS)
    cases = stream.cases("onnx")
    cases["scale"] = cases["scale"].view(np.float32)
    q = make.by_numpy(cases)
    assert (make.by_operators(cases) == q).all()
    stream.write("requant_onnx_stream.bin", b"QRONNXS1", none, stream.digests((q & 255).astype(np.uint8)))

    cases = stream.cases("fp32")
    acc, scale = cases["acc"], cases["scale"].view(np.float32)
    with np.errstate(over="ignore"):
        y = acc.astype(np.float32) * scale
    assert (fp32_by_operators(acc, scale).view(np.uint32) == y.view(np.uint32)).all()
    some = slice(0, None, 500)
    assert (fp32_by_matmul(acc[some], scale[some]).view(np.uint32) == y[some].view(np.uint32)).all()
    stream.write("requant_fp32.bin", b"QRFP32S1", none, stream.digests(y.astype("<f4")))


if __name__ == "__main__":
    main()
