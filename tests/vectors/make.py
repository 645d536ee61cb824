#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes requant_onnx.bin: 20,000 requantisations with the results of three outside implementations.

    python3 -m venv venv && venv/bin/pip install numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
    venv/bin/python make.py

The rule under test is the fixpipe's rounding mode `onnx`:
    x = float32(acc), nearest even      y = float32(x * scale), nearest even
    r = y rounded half to even, saturated to int32      q = r + zero_point, saturated to the output type

Every case is computed by all three references, and the script stops if any two of them differ in any case:
    1 NumPy          float32 conversion, float32 product, rint, clip.
    2 ONNX Runtime   the operators Cast, Mul, QuantizeLinear (scale 1), one after the other, graph optimisation off.
    3 ONNX Runtime   the fused operator QLinearMatMul: acc arises as a sum of int8 products with a_scale = y_scale = 1 and
                     the case's scale as the column's b_scale. K is 133,200, so that every int32 can arise.

File (little-endian):
    0   8 bytes   magic "QRQONNX1"
    8   u32       number of cases
    12  u32       bytes per case, 12
    16  cases:    +0 i32 acc   +4 f32 scale (finite, positive, normal)   +8 zero point, one byte of the output type
                  +9 expected result, one byte of the output type   +10 u8 output type, 0 s8, 1 u8   +11 u8 class (CLASSES)
    end 32 bytes  SHA-256 of all before

The file comes out the same byte for byte on each run. The script also prints how many cases tell the rule from the
mistakes that are easily made (`mistakes`); a class of cases that no longer catches its mistake would show there.
"""

import hashlib
import pathlib
import struct

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

MAGIC = b"QRQONNX1"
SEED = 20
CLASSES = ["tie", "near_tie", "conversion", "saturation", "scale_range", "acc_extremes", "typical", "any_bits"]
COUNTS = [3000, 5000, 4000, 2000, 1500, 500, 3000, 1000]
RANGES = {0: (-128, 127), 1: (0, 255)}
TINY, LARGEST = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)
INT32 = np.iinfo(np.int32)
K_FULL = 133_200  # 133,200 * 127 * 127 > 2^31


# ---- the cases ----


def neighbours(scale: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Moves float32 scales by so many units in the last place."""
    return (scale.view(np.int32) + steps.astype(np.int32)).view(np.float32)


def acc_and_scale(kind: str, n: int, half: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Gives acc [n] and scale [n] of one class; `half` [n] are values j + 1/2 that give results near the output range."""
    sign = np.where(half < 0, -1, 1)
    if kind == "tie":
        # acc * scale is j + 1/2 exactly: scale = odd * 2^-shift and acc = (2j + 1) / odd * 2^(shift - 1).
        odd = rng.choice([1, 3, 5, 7, 15, 21], n)
        numerator = (2 * half).astype(np.int64)
        odd = np.where(numerator % odd == 0, odd, 1)
        shift = rng.integers(1, 22, n)
        return numerator // odd * 2 ** (shift - 1), odd * 2.0**-shift
    if kind == "near_tie":
        # The scale nearest to the tie, and its neighbours: the float32 product falls on the tie or just beside it.
        acc = sign * np.exp2(rng.uniform(0, 24, n)).astype(np.int64)
        return acc, neighbours((half / acc).astype(np.float32), rng.integers(-2, 3, n))
    if kind == "conversion":
        # Beyond 2^24 the conversion itself rounds: exact halves of its unit, their neighbours, and both ends of a binade.
        exponent = rng.integers(24, 31, n)
        unit = 2 ** (exponent - 23)  # float32 spacing at 2^exponent; half of it is the conversion's tie
        fraction = np.where(rng.random(n) < 0.3, 0, rng.integers(0, 2**23, n))
        acc = 2**exponent + fraction * unit + unit // 2 + rng.integers(-1, 2, n)
        acc = sign * np.minimum(acc, INT32.max)
        # half/acc in float64 on the unrounded acc, so that a conversion without rounding lands beside the right product.
        return acc, neighbours((half / acc).astype(np.float32), rng.integers(-1, 2, n))
    if kind == "saturation":
        # From just outside the output range to beyond int32 and to an infinite product.
        acc = sign * np.exp2(rng.uniform(0, 31, n)).astype(np.int64)
        y = np.abs(half) * np.exp2(np.where(rng.random(n) < 0.5, rng.uniform(0, 3, n), rng.uniform(0, 150, n)))
        return acc, np.clip(y / np.abs(acc), TINY, LARGEST)
    if kind == "scale_range":
        edge = rng.choice([TINY, np.nextafter(np.float32(TINY), np.float32(1)), LARGEST, 1.0, 2.0**-31, 2.0**-24], n)
        anywhere = np.exp2(rng.uniform(-126, 127.9, n))
        acc = rng.choice([-1, 1], n) * np.exp2(rng.uniform(0, 31, n)).astype(np.int64)
        return acc, np.where(rng.random(n) < 0.4, edge, anywhere)
    if kind == "acc_extremes":
        ends = [0, 1, -1, INT32.min, INT32.min + 1, INT32.max, INT32.max - 63, INT32.max - 64, 2**24, -(2**24), 2**24 + 1]
        return rng.choice(ends, n), np.exp2(rng.uniform(-34, 8, n))
    if kind == "typical":
        acc = np.rint(rng.normal(0, 1, n) * np.exp2(rng.uniform(8, 22, n))).astype(np.int64)
        return acc, np.clip(np.abs(half) * np.exp2(rng.uniform(-3, 1, n)) / np.maximum(np.abs(acc), 1), TINY, LARGEST)
    assert kind == "any_bits"
    bits = rng.integers(0x0080_0000, 0x7F80_0000, n).astype(np.int32)
    return rng.integers(INT32.min, INT32.max + 1, n), bits.view(np.float32)


def make_cases() -> dict:
    """Gives arrays acc i32, scale f32, zero_point i64, dtype (0 s8, 1 u8), kind; all of one length."""
    rng = np.random.default_rng(SEED)
    columns = {name: [] for name in ("acc", "scale", "zero_point", "dtype", "kind")}
    for index, (kind, n) in enumerate(zip(CLASSES, COUNTS)):
        dtype = rng.integers(0, 2, n)
        low = np.where(dtype == 0, -128, 0)
        edge = rng.choice([0, 1, 127, 128, 254, 255], n)
        zero_point = low + np.where(rng.random(n) < 0.5, edge, rng.integers(0, 256, n))
        # Results from a little below to a little above the output range, so ties at both of its ends occur too.
        half = low - zero_point + rng.integers(-8, 264, n) + 0.5
        acc, scale = acc_and_scale(kind, n, half, rng)
        assert (acc >= INT32.min).all() and (acc <= INT32.max).all()
        columns["acc"].append(acc.astype(np.int32))
        columns["scale"].append(scale.astype(np.float32))
        columns["zero_point"].append(zero_point)
        columns["dtype"].append(dtype)
        columns["kind"].append(np.full(n, index))
    cases = {name: np.concatenate(parts) for name, parts in columns.items()}
    assert (np.isfinite(cases["scale"]) & (cases["scale"] >= TINY)).all()
    return cases


def limits(cases: dict) -> tuple[np.ndarray, np.ndarray]:
    return np.where(cases["dtype"] == 0, -128, 0), np.where(cases["dtype"] == 0, 127, 255)


def finish(rounded: np.ndarray, cases: dict) -> np.ndarray:
    """From the rounded value (float, may be infinite) to the result: saturate to int32, add the zero point, saturate."""
    r = np.clip(rounded.astype(np.float64), INT32.min, INT32.max).astype(np.int64)
    return np.clip(r + cases["zero_point"], *limits(cases))


# ---- the references ----


def by_numpy(cases: dict) -> np.ndarray:
    with np.errstate(over="ignore"):  # an infinite product is one of the cases
        y = cases["acc"].astype(np.float32) * cases["scale"]
    assert y.dtype == np.float32
    return finish(np.rint(y), cases)


def session(nodes: list, inputs: list, output_type: int) -> onnxruntime.InferenceSession:
    graph = helper.make_graph(nodes, "requantise", inputs, [helper.make_tensor_value_info("q", output_type, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def groups(cases: dict):
    """The operators take one zero point per call: gives (dtype, zero point, indices) of cases that share both."""
    for dtype in (0, 1):
        for zero_point in np.unique(cases["zero_point"][cases["dtype"] == dtype]):
            yield dtype, zero_point, np.flatnonzero((cases["dtype"] == dtype) & (cases["zero_point"] == zero_point))


def by_operators(cases: dict) -> np.ndarray:
    def build(element: int) -> onnxruntime.InferenceSession:
        nodes = [
            helper.make_node("Cast", ["acc"], ["x"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["x", "scale"], ["y"]),
            helper.make_node("QuantizeLinear", ["y", "one", "zero_point"], ["q"]),
        ]
        inputs = [
            helper.make_tensor_value_info("acc", TensorProto.INT32, ["n"]),
            helper.make_tensor_value_info("scale", TensorProto.FLOAT, ["n"]),
            helper.make_tensor_value_info("one", TensorProto.FLOAT, []),
            helper.make_tensor_value_info("zero_point", element, []),
        ]
        return session(nodes, inputs, element)

    sessions = {0: build(TensorProto.INT8), 1: build(TensorProto.UINT8)}
    element = {0: np.int8, 1: np.uint8}
    q = np.empty(len(cases["acc"]), np.int64)
    for dtype, zero_point, chosen in groups(cases):
        feed = {
            "acc": cases["acc"][chosen],
            "scale": cases["scale"][chosen],
            "one": np.array(1, np.float32),
            "zero_point": np.array(zero_point, element[dtype]),
        }
        q[chosen] = sessions[dtype].run(None, feed)[0]
    return q


def columns_for(acc: np.ndarray) -> np.ndarray:
    """Gives int8 B [k, n] so that the row a = [127, .., 127, 1] times B is acc [n].

    Operands stay within 127, because ONNX Runtime's kernels for processors without dot product instructions add pairs of
    products in 16 bits with saturation.
    """
    k = max(1, int(-(-np.abs(acc.astype(np.int64)).max() // (127 * 127)))) + 1
    assert k <= K_FULL
    size = np.abs(acc.astype(np.int64))
    units, rest = size // 127, size % 127  # acc = 127 * units + rest; units are spread in portions of up to 127
    portions = np.clip(units[None, :] - 127 * np.arange(k)[:, None], 0, 127)
    return (np.concatenate([portions, rest[None, :]]) * np.sign(acc.astype(np.int64))).astype(np.int8)


def by_qlinear_matmul(cases: dict) -> np.ndarray:
    def build(element: int) -> onnxruntime.InferenceSession:
        names = ["a", "a_scale", "a_zero", "b", "b_scale", "b_zero", "y_scale", "y_zero"]
        types = [element, TensorProto.FLOAT, element, TensorProto.INT8, TensorProto.FLOAT, TensorProto.INT8]
        types += [TensorProto.FLOAT, element]
        shapes = [[1, "k"], [], [], ["k", "n"], ["n"], ["n"], [], []]
        inputs = [helper.make_tensor_value_info(*of) for of in zip(names, types, shapes)]
        return session([helper.make_node("QLinearMatMul", names, ["q"])], inputs, element)

    sessions = {0: build(TensorProto.INT8), 1: build(TensorProto.UINT8)}
    element = {0: np.int8, 1: np.uint8}
    q = np.empty(len(cases["acc"]), np.int64)
    for dtype, zero_point, chosen in groups(cases):
        # In order of size, so that small accumulators do not pay for the K of large ones.
        chosen = chosen[np.argsort(np.abs(cases["acc"][chosen].astype(np.int64)), kind="stable")]
        for part in np.array_split(chosen, -(-len(chosen) // 16)):
            b = columns_for(cases["acc"][part])
            a = np.full((1, len(b)), 127, element[dtype])
            a[0, -1] = 1
            feed = {
                "a": a,
                "a_scale": np.array(1, np.float32),
                "a_zero": np.array(0, element[dtype]),
                "b": b,
                "b_scale": cases["scale"][part],
                "b_zero": np.zeros(len(part), np.int8),
                "y_scale": np.array(1, np.float32),
                "y_zero": np.array(zero_point, element[dtype]),
            }
            q[part] = sessions[dtype].run(None, feed)[0][0]
    return q


# ---- what the cases can tell apart ----


def mistakes(cases: dict) -> dict:
    """Gives the results of wrong rules."""
    acc, scale = cases["acc"], cases["scale"]
    exact = acc.astype(np.float64) * scale.astype(np.float64)
    x = acc.astype(np.float32)
    truncated = np.where(np.abs(x.astype(np.float64)) > np.abs(acc.astype(np.float64)), np.nextafter(x, np.float32(0)), x)
    with np.errstate(over="ignore"):
        y = x * scale
        y_truncated = truncated * scale
        y_exact_acc = exact.astype(np.float32)
        shifted = np.rint(y + cases["zero_point"].astype(np.float32)) - cases["zero_point"]
    y64 = y.astype(np.float64)
    r = np.clip(np.rint(y64), INT32.min, INT32.max).astype(np.int64)
    low, high = limits(cases)
    return {
        "half away from zero": finish(np.copysign(np.floor(np.abs(y64) + 0.5), y64), cases),
        "half up": finish(np.floor(y64 + 0.5), cases),
        "half towards zero": finish(np.copysign(np.ceil(np.abs(y64) - 0.5), y64), cases),
        "truncation of the result": finish(np.trunc(y64), cases),
        "float32(acc) truncates": finish(np.rint(y_truncated), cases),
        "float32(acc) left out": finish(np.rint(y_exact_acc), cases),
        "product not rounded to float32": finish(np.rint(x.astype(np.float64) * scale.astype(np.float64)), cases),
        "all in float64": finish(np.rint(exact), cases),
        "zero point added before rounding": finish(shifted, cases),
        "result wraps": (r + cases["zero_point"] - low) % 256 + low,
        "int32 wraps at the zero point": np.clip((r + cases["zero_point"] + 2**31) % 2**32 - 2**31, low, high),
        "beyond int32 becomes -2^31": finish(np.where(np.abs(y64) >= 2.0**31, -(2.0**31), np.rint(y64)), cases),
        "infinite product becomes 0": finish(np.where(np.isinf(y64), 0, np.rint(y64)), cases),
    }


def main() -> None:
    cases = make_cases()
    expected = by_numpy(cases)
    for name, other in (("operators", by_operators(cases)), ("QLinearMatMul", by_qlinear_matmul(cases))):
        differ = np.flatnonzero(other != expected)
        for i in differ[:10]:
            print(f"{name}: {({k: v[i] for k, v in cases.items()})} gives {other[i]}, NumPy {expected[i]}")
        assert len(differ) == 0, f"{len(differ)} cases differ between NumPy and ONNX Runtime's {name}"
        print(f"{len(expected)} cases agree with ONNX Runtime {onnxruntime.__version__}, {name}")

    low, high = limits(cases)
    for index, kind in enumerate(CLASSES):
        of = cases["kind"] == index
        inside = of & (expected > low) & (expected < high)
        print(f"class {index} {kind:13} {of.sum():5} cases, {inside.sum():5} results inside the range")
    for name, wrong in mistakes(cases).items():
        caught = wrong != expected
        assert caught.any(), f"no case catches: {name}"
        where = ", ".join(f"{kind} {n}" for i, kind in enumerate(CLASSES) if (n := caught[cases["kind"] == i].sum()))
        print(f"mistake: {name:33} caught by {caught.sum():5}: {where}")

    fields = [("acc", "<i4"), ("scale", "<f4"), ("zp", "u1"), ("q", "u1"), ("dtype", "u1"), ("kind", "u1")]
    record = np.zeros(len(expected), fields)
    record["acc"], record["scale"] = cases["acc"], cases["scale"]
    record["zp"], record["q"] = cases["zero_point"] & 255, expected & 255
    record["dtype"], record["kind"] = cases["dtype"], cases["kind"]
    body = MAGIC + struct.pack("<II", len(record), record.itemsize) + record.tobytes()
    path = pathlib.Path(__file__).with_name("requant_onnx.bin")
    path.write_bytes(body + hashlib.sha256(body).digest())
    print(f"{path.name}: {path.stat().st_size} bytes, SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
