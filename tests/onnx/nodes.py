#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes ONNX's own backend node tests of the quantised operators as folders: nodes.py FOLDER.

The package `onnx` ships no files of them: it has the programs that make models and data, and this script asks those for all
node tests in whose model one of the operators stands. Each line that it prints is the name of a test.
"""

import importlib
import pathlib
import sys

import onnx
import onnx.backend.test.case.node as cases
from onnx import numpy_helper

OPERATORS = {"MatMulInteger", "ConvInteger", "QLinearMatMul", "QLinearConv", "MaxPool"}
INTEGERS = {onnx.TensorProto.INT8, onnx.TensorProto.UINT8}


def write(folder: pathlib.Path, model: onnx.ModelProto, sets: list) -> None:
    """A node test: the model, and per data set its inputs and its outputs, each with its name in the model."""
    folder.mkdir(parents=True)
    onnx.save(model, folder / "model.onnx")
    for index, (inputs, outputs) in enumerate(sets):
        data = folder / f"test_data_set_{index}"
        data.mkdir()
        for kind, values, infos in [("input", inputs, model.graph.input), ("output", outputs, model.graph.output)]:
            for number, (value, info) in enumerate(zip(values, infos, strict=True)):
                tensor = numpy_helper.from_array(value, info.name)
                (data / f"{kind}_{number}.pb").write_bytes(tensor.SerializeToString())


def tests() -> list:
    """The node tests of the operators. Only the programs that name one are run: all 1,900 tests take half a minute."""
    for path in sorted(pathlib.Path(cases.__file__).parent.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        if any(f'"{operator}"' in text for operator in OPERATORS):
            importlib.import_module(f"{cases.__name__}.{path.stem}")
    return [test for test in cases._NodeTestCases if is_quantised(test.model.graph)]


def is_quantised(graph: onnx.GraphProto) -> bool:
    """One of the operators, on numbers of 8 bits: MaxPool has tests with others too."""
    first = graph.input[0].type.tensor_type.elem_type
    return first in INTEGERS and any(node.op_type in OPERATORS for node in graph.node)


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    for test in tests():
        write(folder / test.name, test.model, test.data_sets)
        print(test.name)


if __name__ == "__main__":
    main()
