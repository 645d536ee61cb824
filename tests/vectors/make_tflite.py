#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes requant_tflite.bin: requantisations of the rounding mode `tflite` (single rounding) by the TOSA reference model.

    python3 -m venv venv && venv/bin/pip install tosa-tools==2026.8.0
    venv/bin/python make_tflite.py

The operator RESCALE, scale32, rounding mode SINGLE_ROUND, per channel, int32 to int8. Its shift is 31 less that of TFLite, 2 to 62: so
shifts of -31 to 29. It requires accumulators and results, with the zero point, that stay within int32. uint8 with zero point z is int8
with z - 128, because RESCALE has no int32 to uint8. Cases and file: stream.py.
"""

import pathlib
import subprocess
import tempfile

import numpy as np
import tosa_tools_cli  # noqa: F401  (names the package whose reference model runs)
from serializer import tosa_serializer as ts
from tosa import Op, RoundingMode

import stream


def rescale(folder: pathlib.Path, acc, m, shift, zero_point: int) -> np.ndarray:
    """Gives the results of one RESCALE with these accumulators and multipliers along the channels."""
    n = len(acc)
    builder = ts.TosaSerializer(str(folder), ts.ConstMode.EMBED)
    x = builder.addPlaceholder([1, n], ts.DType.INT32, np.asarray(acc, np.int32).reshape(1, n))
    multiplier = builder.addConst([n], ts.DType.INT32, np.asarray(m, np.int32))
    right = builder.addConst([n], ts.DType.INT8, (31 - np.asarray(shift, np.int64)).astype(np.int8))
    zero_in = builder.addConst([1], ts.DType.INT32, np.zeros(1, np.int32))
    zero_out = builder.addConst([1], ts.DType.INT8, np.array([zero_point], np.int8))
    attributes = ts.TosaSerializerAttribute()
    attributes.RescaleAttribute(True, RoundingMode.RoundingMode.SINGLE_ROUND, True, False, False)
    y = builder.addOutput([1, n], ts.DType.INT8)
    builder.addOperator(Op.Op.RESCALE, [x.name, multiplier.name, right.name, zero_in.name, zero_out.name], [y.name], attributes)
    (folder / "rescale.tosa").write_bytes(builder.serialize())
    np.save(folder / "acc.npy", np.asarray(acc, np.int32).reshape(1, n))
    binary = pathlib.Path(ts.__file__).parents[1] / "bin" / "tosa_reference_model"
    command = [binary, f"--tosa_file={folder / 'rescale.tosa'}", f"--ifm_name={x.name}", f"--ifm_file={folder / 'acc.npy'}"]
    command += [f"--ofm_name={y.name}", f"--ofm_file={folder / 'result.npy'}", "--tosa_level=NONE", "--terminate_early"]
    subprocess.run(command, check=True, cwd=folder)
    return np.load(folder / "result.npy").reshape(n).astype(np.int64)


def by_tosa(cases: dict) -> np.ndarray:
    """Gives the results as bytes."""
    shift_u8 = np.where(cases["dtype"] == 1, 128, 0)
    zero_points = cases["zero_point"] - shift_u8
    q = np.zeros(len(zero_points), np.int64)
    with tempfile.TemporaryDirectory() as folder:
        for zero_point in np.unique(zero_points):
            chosen = np.flatnonzero(zero_points == zero_point)
            columns = (cases[name][chosen] for name in ("acc", "scale", "shift"))
            q[chosen] = rescale(pathlib.Path(folder), *columns, int(zero_point))
    return ((q + shift_u8) & 255).astype(np.uint8)


def main() -> None:
    fixed, million = stream.fixed_cases(29), stream.cases("tflite")
    columns = [fixed[name] for name in ("acc", "scale", "shift", "zero_point", "dtype")]
    record = stream.explicit(*columns, by_tosa(fixed).astype(np.int64))
    stream.write("requant_tflite.bin", b"QRTFLIT1", record, stream.digests(by_tosa(million)))


if __name__ == "__main__":
    main()
