# SPDX-License-Identifier: Apache-2.0
"""reference.py against loops over single numbers in Python's own integers and fractions. Run: python test_reference.py [seed]"""

import itertools
import math
import random
import sys
from fractions import Fraction

import numpy as np
import reference

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 1


def wrapped(number):
    return (number + 2**31) % 2**32 - 2**31


def half_to_even(number):
    floor = number.numerator // number.denominator
    rest = number - floor
    return floor + (rest > Fraction(1, 2) or (rest == Fraction(1, 2) and floor % 2 == 1))


def to_float32(number):
    """A fraction rounded to 24 significant bits; range is no matter here."""
    if number == 0:
        return number
    exponent = 0
    while abs(number) * Fraction(2) ** -exponent >= 2**24:
        exponent += 1
    while abs(number) * Fraction(2) ** -exponent < 2**23:
        exponent -= 1
    return half_to_even(number / Fraction(2) ** exponent) * Fraction(2) ** exponent


def finished(total, channel, spec, operands, dtype):
    total = wrapped(total + (int(operands["bias"][channel]) if "bias" in operands else 0))
    zero = 0
    if dtype != "int32":
        zero = spec["zero_point_out"]
        if spec["rounding"] == "onnx":
            scale = operands["scale"][channel] if "scale" in operands else np.float32(spec["scale"])
            total = to_float32(to_float32(Fraction(total)) * Fraction(float(scale)))
            if dtype == "float32":
                total = float(total) if abs(total) < 2**128 else float("inf") * (1 if total > 0 else -1)
                return max(total, 0.0) if spec["relu"] else total
            total = half_to_even(total)
        else:
            multiplier, shift = (int(zero_point(name, channel, spec, operands)) for name in ("multiplier", "shift"))
            exact = Fraction(total * multiplier, 2**31) * Fraction(2) ** shift
            if spec["rounding"] == "gemmlowp" and shift < 0:
                exact = Fraction(math.floor(Fraction(total * multiplier, 2**31) + Fraction(1, 2))) * Fraction(2) ** shift
                total = math.floor(abs(exact) + Fraction(1, 2)) * (1 if exact > 0 else -1)
            else:
                total = math.floor(exact + Fraction(1, 2))
        total = min(max(total, -(2**31)), 2**31 - 1) + zero
        total = min(max(total, {"int8": -128, "uint8": 0}[dtype]), {"int8": 127, "uint8": 255}[dtype])
    if spec["relu"]:
        total = max(total, zero)
    if spec["clamp"]:
        total = min(max(total, spec["clamp"][0]), spec["clamp"][1])
    return total


def zero_point(name, channel, spec, operands):
    return int(operands[name][channel]) if name in operands else spec[name]


def slow_gemm(spec, operands, dtype):
    a, b = operands["a"], operands["b"].T if spec["b_transposed"] else operands["b"]
    c = np.zeros((a.shape[0], b.shape[1]), dtype)
    for i, j in np.ndindex(c.shape):
        zero = zero_point("zero_point_b", j, spec, operands)
        total = sum((int(a[i, l]) - spec["zero_point_a"]) * (int(b[l, j]) - zero) for l in range(a.shape[1]))
        c[i, j] = finished(total, j, spec, operands, dtype)
    return c


def slow_conv(spec, operands, dtype):
    """Every output is asked for by its place: which input lies under which weight; outside of x there is nothing."""
    x, w = operands["x"], operands["w"]
    top, left, bottom, right = spec["pad"]
    size = [0, 0]
    for axis, (before, after) in enumerate([(top, bottom), (left, right)]):
        first = -before
        while first + (w.shape[1 + axis] - 1) * spec["dilation"][axis] <= x.shape[1 + axis] + after - 1:
            size[axis] += 1
            first += spec["stride"][axis]
    y = np.zeros((x.shape[0], *size, w.shape[0]), dtype)
    for n, p, q, o in np.ndindex(y.shape):
        total, zero = 0, zero_point("zero_point_w", o, spec, operands)
        for i, j, c in np.ndindex(w.shape[1:]):
            row = p * spec["stride"][0] + i * spec["dilation"][0] - top
            column = q * spec["stride"][1] + j * spec["dilation"][1] - left
            if 0 <= row < x.shape[1] and 0 <= column < x.shape[2]:
                channel = o // (w.shape[0] // spec["groups"]) * w.shape[3] + c
                total += (int(x[n, row, column, channel]) - spec["zero_point_x"]) * (int(w[o, i, j, c]) - zero)
        y[n, p, q, o] = finished(total, o, spec, operands, dtype)
    return y


def numbers(rng, shape, dtype):
    limits = np.iinfo(dtype)
    return np.array([rng.randint(limits.min, limits.max) for _ in range(int(np.prod(shape)))], dtype).reshape(shape)


def common(rng, channels, dtype):
    """What both kinds have: how a sum becomes a result."""
    limits = np.iinfo(np.int32 if dtype == "float32" else dtype)
    spec = {"scale": None, "zero_point_out": 0, "relu": rng.random() < 0.3, "clamp": None}
    spec |= {"rounding": "onnx", "multiplier": None, "shift": None}
    operands = {}
    if rng.random() < 0.5:
        operands["bias"] = numbers(rng, (channels,), np.int32) // rng.choice([1, 2**16])
    if dtype in ("int8", "uint8"):
        spec["zero_point_out"] = rng.randint(limits.min, limits.max)
        spec["rounding"] = rng.choice(["onnx", "tflite", "gemmlowp"])
    if spec["rounding"] != "onnx":
        factors = [(rng.choice([0, 2**30, 2**31 - 1, rng.randint(2**30, 2**31 - 1)]), rng.randint(-11, 1)) for _ in range(channels)]
        if rng.random() < 0.5:
            multipliers, shifts = zip(*factors)
            operands |= {"multiplier": np.array(multipliers, np.int32), "shift": np.array(shifts, np.int8)}
        else:
            spec["multiplier"], spec["shift"] = factors[0]
    elif dtype != "int32":
        # Such that few results are at an end of their range; powers of two make ties. Sometimes one that makes infinities.
        scales = [np.float32(rng.choice([2.0 ** rng.randint(-12, -7), rng.uniform(1e-4, 5e-3)])) for _ in range(channels)]
        if rng.random() < 0.1:
            scales = [np.float32(3e37)] * channels
        if rng.random() < 0.5:
            operands["scale"] = np.array(scales, np.float32)
        else:
            spec["scale"] = float(scales[0])
    if rng.random() < 0.2 and dtype != "float32":
        spec["clamp"] = sorted(rng.randint(max(limits.min, -200), min(limits.max, 200)) for _ in range(2))
    return spec, operands


def random_gemm(rng, dtype):
    m, n, k = (rng.randint(1, 7) for _ in range(3))
    kinds = [rng.choice([np.int8, np.uint8]) for _ in range(2)]
    spec, operands = common(rng, n, dtype)
    transposed = rng.random() < 0.5
    spec |= {"m": m, "n": n, "k": k, "b_transposed": transposed}
    spec |= {name: int(numbers(rng, (), kind)) for name, kind in zip(["zero_point_a", "zero_point_b"], kinds)}
    operands |= {"a": numbers(rng, (m, k), kinds[0]), "b": numbers(rng, (n, k) if transposed else (k, n), kinds[1])}
    if rng.random() < 0.5:
        operands["zero_point_b"] = numbers(rng, (n,), kinds[1]).astype(np.int16)
    return spec, operands


def random_conv(rng, dtype):
    groups, depth, per_group = rng.randint(1, 3), rng.randint(1, 3), rng.randint(1, 2)
    kernel, stride, dilation = ([rng.randint(1, 3) for _ in range(2)] for _ in range(3))
    pad = [rng.randint(0, 2) for _ in range(4)]
    reach = [(kernel[axis] - 1) * dilation[axis] + 1 for axis in range(2)]
    size = [max(1, reach[axis] - pad[axis] - pad[axis + 2]) + rng.randint(0, 4) for axis in range(2)]
    kinds = [rng.choice([np.int8, np.uint8]) for _ in range(2)]
    spec, operands = common(rng, groups * per_group, dtype)
    spec |= {"stride": stride, "pad": pad, "dilation": dilation, "groups": groups}
    spec |= {name: int(numbers(rng, (), kind)) for name, kind in zip(["zero_point_x", "zero_point_w"], kinds)}
    operands["x"] = numbers(rng, (rng.randint(1, 2), *size, groups * depth), kinds[0])
    operands["w"] = numbers(rng, (groups * per_group, *kernel, depth), kinds[1])
    if rng.random() < 0.5:
        operands["zero_point_w"] = numbers(rng, (groups * per_group,), kinds[1]).astype(np.int16)
    return spec, operands


def main():
    print(f"seed {SEED}")
    rng = random.Random(SEED)
    compared, seen = 0, {"int32": set(), "int8": set(), "uint8": set(), "float32": set()}
    for _, dtype in itertools.product(range(60), ["int32", "int8", "uint8", "float32"]):
        for case, quick, slow in [(random_gemm, reference.gemm, slow_gemm), (random_conv, reference.conv, slow_conv)]:
            spec, operands = case(rng, dtype)
            got, expected = quick(spec, operands, dtype), slow(spec, operands, dtype)
            assert got.dtype == expected.dtype and got.shape == expected.shape, (spec, got.shape, expected.shape)
            assert np.array_equal(got, expected), f"{spec}\n{operands}\ngot\n{got}\nexpected\n{expected}"
            compared += got.size
            seen[dtype] |= set(got.flatten().tolist())
    # A test that sees the ends of the range only would prove little.
    assert min(len(seen["int8"]), len(seen["uint8"])) > 150 and min(len(seen["int32"]), len(seen["float32"])) > 300, {name: len(some) for name, some in seen.items()}
    print(f"{compared} numbers compared")


main()
