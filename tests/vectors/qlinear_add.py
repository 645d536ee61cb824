#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes qlinear_add.bin: sums of two 8-bit tensors as ONNX Runtime computes them, every pair of numbers for each set of scales.

    python3 -m venv venv && venv/bin/pip install numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
    venv/bin/python qlinear_add.py

The rule under test is `fix.store` with `second=add`, with the factors that `isa::second::Sum::of_scales` makes:
    ratio = a_scale / c_scale     second_ratio = b_scale / c_scale
    offset = c_zero - fma(ratio, a_zero, second_ratio * b_zero)           all of these in float32, one rounding each
    t = fma(b, second_ratio, offset)     y = fma(a, ratio, t)     c = y rounded half to even, saturated

Two references have to agree on every pair, or the script stops:
    1 ONNX Runtime   com.microsoft.QLinearAdd on a processor with fused multiply-add.
    2 NumPy          the rule above in 64-bit significands, in which every legal sum is exact, with the two roundings to float32.

File (little-endian):
    0   8 bytes   magic "QADDONX1"
    8   u32       number of sets, 12 u32 number of full sets
    16  sets:     +0 f32 a_scale  +4 f32 b_scale  +8 f32 c_scale  +12 a_zero, b_zero, c_zero, one byte of the type each
                  +15 u8 type, 0 s8, 1 u8   +16 32 bytes: SHA-256 of the set's 65,536 results
    ..  the results of the first full sets: c of (a, b) at 256 a + b, a and b as unsigned bytes
    end 32 bytes  SHA-256 of all before

The file comes out the same byte for byte on each run. The script also prints how many pairs tell the rule from mistakes.
"""

import hashlib
import pathlib
import struct

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

MAGIC = b"QADDONX1"
SEED = 21
SETS, FULL = 240, 2
TYPES = [(np.int8, TensorProto.INT8, -128, 127), (np.uint8, TensorProto.UINT8, 0, 255)]
F = np.float32
WIDE = np.longdouble
assert np.finfo(WIDE).nmant >= 63, "this machine has no floats with 64-bit significands"

BYTES = np.arange(256, dtype=np.uint8)
A, B = (x.ravel() for x in np.meshgrid(BYTES, BYTES, indexing="ij"))


def make_sets():
    """Yields (scales, zero points, type) with legal factors."""
    rng = np.random.default_rng(SEED)
    count = 0
    while count < SETS:
        kind = count % 2
        _, _, low, high = TYPES[kind]
        zeros = [int(z) for z in rng.integers(low, high + 1, 3)]
        style = count // 2 % 4
        if style == 0:  # few bits: exact ties
            scales = [F(2.0 ** rng.integers(-6, 4) * rng.integers(1, 16)) for _ in range(3)]
        elif style == 1:  # one unit beside few bits: near ties
            scales = [np.nextafter(F(2.0 ** rng.integers(-3, 3) * rng.integers(1, 8)), F(rng.choice([0, 99]))) for _ in range(3)]
        elif style == 2:  # like layers
            scales = [F(10 ** rng.uniform(-2.5, -0.5)) for _ in range(3)]
        else:  # to the ends of the range
            scales = [F(2.0 ** rng.uniform(-11, 7)), F(2.0 ** rng.uniform(-11, 7)), F(1)]
        ratios = [scales[0] / scales[2], scales[1] / scales[2]]
        if all(2.0**-12 <= ratio < 2.0**8 for ratio in ratios):
            yield scales, zeros, kind
            count += 1


def by_onnxruntime(scales, zeros, kind) -> np.ndarray:
    numpy_type, onnx_type, _, _ = TYPES[kind]
    constants = []
    for name, scale, zero in zip("abc", scales, zeros):
        constants.append(helper.make_tensor(f"{name}_scale", TensorProto.FLOAT, [], [float(scale)]))
        constants.append(helper.make_tensor(f"{name}_zero", onnx_type, [], [zero]))
    names = ["a", "a_scale", "a_zero", "b", "b_scale", "b_zero", "c_scale", "c_zero"]
    node = helper.make_node("QLinearAdd", names, ["c"], domain="com.microsoft")
    inputs = [helper.make_tensor_value_info(name, onnx_type, [A.size]) for name in "ab"]
    graph = helper.make_graph([node], "sum", inputs, [helper.make_tensor_value_info("c", onnx_type, [A.size])], constants)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"a": A.view(numpy_type), "b": B.view(numpy_type)})[0]


def factors(scales, zeros):
    ratio, second = scales[0] / scales[2], scales[1] / scales[2]
    # The products' sum is one fused multiply-add there, which near ties shows.
    known = F(WIDE(ratio) * WIDE(zeros[0]) + WIDE(second * F(zeros[1])))
    offset = F(zeros[2]) - known
    assert all(value.dtype == F for value in (ratio, second, offset))
    assert abs(offset) < 2**18 and (WIDE(offset) * 2**35) % 1 == 0, "a legal pair of ratios has a legal offset"
    return ratio, second, offset


def saturated(y: np.ndarray, kind: int) -> np.ndarray:
    numpy_type, _, low, high = TYPES[kind]
    return np.clip(np.rint(y), low, high).astype(numpy_type)


def by_numpy(scales, zeros, kind) -> np.ndarray:
    ratio, second, offset = factors(scales, zeros)
    a, b = A.view(TYPES[kind][0]).astype(WIDE), B.view(TYPES[kind][0]).astype(WIDE)
    t = (b * WIDE(second) + WIDE(offset)).astype(F)
    return saturated((a * WIDE(ratio) + t.astype(WIDE)).astype(F), kind)


def mistakes(scales, zeros, kind) -> dict:
    ratio, second, offset = factors(scales, zeros)
    a, b = A.view(TYPES[kind][0]).astype(F), B.view(TYPES[kind][0]).astype(F)
    wide = [x.astype(WIDE) for x in (a, b, ratio, second, offset)]
    exact = wide[0] * wide[2] + wide[1] * wide[3] + wide[4]
    other = (wide[0] * wide[2] + wide[4]).astype(F).astype(WIDE)
    real = ((a - F(zeros[0])) * scales[0] + (b - F(zeros[1])) * scales[1]) / scales[2]
    loose = F(zeros[2]) - (ratio * F(zeros[0]) + second * F(zeros[1]))
    shifted = (wide[1] * wide[3] + WIDE(loose)).astype(F).astype(WIDE)
    return {
        "offset without fused multiply-add": saturated((wide[0] * wide[2] + shifted).astype(F), kind),
        "products rounded": saturated(a * ratio + (b * second + offset), kind),
        "tensors exchanged": saturated((wide[1] * wide[3] + other).astype(F), kind),
        "one rounding to float32": saturated(exact.astype(F), kind),
        "no rounding to float32": saturated(exact, kind),
        "sum of real numbers, zero point behind": saturated(np.rint(real) + zeros[2], kind),
    }


def main() -> None:
    head, full, caught = b"", b"", {}
    for index, (scales, zeros, kind) in enumerate(make_sets()):
        result = by_numpy(scales, zeros, kind)
        runtime = by_onnxruntime(scales, zeros, kind)
        assert (result == runtime).all(), f"set {index}: {(result != runtime).sum()} pairs differ: {scales} {zeros}"
        zero_bytes = np.array(zeros).astype(TYPES[kind][0]).tobytes()
        head += struct.pack("<3f", *scales) + zero_bytes + bytes([kind]) + hashlib.sha256(result.tobytes()).digest()
        if index < FULL:
            full += result.tobytes()
        for name, wrong in mistakes(scales, zeros, kind).items():
            pairs, sets = caught.get(name, (0, 0))
            differ = int((wrong != result).sum())
            caught[name] = (pairs + differ, sets + (differ > 0))
    data = MAGIC + struct.pack("<II", SETS, FULL) + head + full
    data += hashlib.sha256(data).digest()
    pathlib.Path(__file__).with_name("qlinear_add.bin").write_bytes(data)
    print(f"{SETS} sets, {SETS * A.size:,} pairs, {len(data):,} bytes")
    for name, (pairs, sets) in caught.items():
        print(f"{name}: {pairs:,} pairs in {sets} sets")


main()
