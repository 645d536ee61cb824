# SPDX-License-Identifier: Apache-2.0
"""The seeded requantisations: a million per mode, the same in NumPy here and in Rust in stream.rs, and the file of their results.

Word k of case i is number 4 i + k of Steele, Lea and Flood's SplitMix64 from a seed of the mode. A million results are kept as one
digest per thousand, the first 8 bytes of the SHA-256 of their bytes; explicit cases are kept in full.

File (little-endian):
    0    8 bytes   magic
    8    u32       explicit cases
    12   u32       digests
    16   cases:    +0 i32 acc   +4 u32 scale, fp32 bits or multiplier   +8 i8 shift   +9 zero point, one byte of the output type
                   +10 expected result, one byte of the output type   +11 u8 output type, 0 s8, 1 u8
    ..   digests, 8 bytes each
    end  32 bytes  SHA-256 of all before
"""

import hashlib
import pathlib
import struct

import numpy as np

CASES, BLOCK = 1_000_000, 1_000
SEEDS = {"onnx": 0x0001, "fp32": 0x0002, "tflite": 0x0003, "gemmlowp": 0x0004}
INT32 = np.iinfo(np.int32)
FIELDS = [("acc", "<i4"), ("scale", "<u4"), ("shift", "i1"), ("zp", "u1"), ("q", "u1"), ("dtype", "u1")]


def words(mode: str) -> np.ndarray:
    """Gives the words u64 [4, CASES] of a mode."""
    golden, one, two = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
    z = np.uint64(SEEDS[mode]) + (np.arange(4 * CASES, dtype=np.uint64) + np.uint64(1)) * golden
    z = (z ^ z >> np.uint64(30)) * one
    z = (z ^ z >> np.uint64(27)) * two
    return (z ^ z >> np.uint64(31)).reshape(CASES, 4).T.copy()


def field(word: np.ndarray, low: int, values: int) -> np.ndarray:
    """Gives the 16 bits of a word from bit `low` on, modulo `values`, as i64."""
    return ((word >> np.uint64(low) & np.uint64(0xFFFF)) % np.uint64(values)).astype(np.int64)


def bit_length(acc: np.ndarray) -> np.ndarray:
    """Gives the bits of |acc|."""
    return np.frexp(np.abs(acc.astype(np.float64)))[1].astype(np.int64)


def cases(mode: str) -> dict:
    """Gives arrays of CASES: acc i32, scale u32, shift i8, zero_point i64, dtype; for gemmlowp also `a` and `f`, float32."""
    w = words(mode)
    thousand = np.arange(CASES) // BLOCK * BLOCK
    # A model of TFLite has one output zero point and one input scale, so for gemmlowp those are the same within a thousand.
    common = w[0][thousand] if mode == "gemmlowp" else w[0]
    dtype = field(common, 0, 2)
    zero_point = field(common, 16, 256) - np.where(dtype == 0, 128, 0)
    acc = (w[1] & np.uint64(0xFFFFFFFF)).astype(np.uint32).view(np.int32) >> field(w[0], 32, 32).astype(np.int32)
    length, near, anywhere = bit_length(acc), field(w[2], 0, 12), field(w[2], 16, 8) == 0
    # Numbers with many zeros at the end give ties.
    keep = np.int64(-1) << field(w[2], 32, 32)
    out = {"acc": acc, "zero_point": zero_point, "dtype": dtype}
    if mode in ("onnx", "fp32"):
        # |acc * scale| of about 2^-1 to 2^11, or any legal scale.
        exponent = np.where(anywhere, 1 + field(w[2], 48, 254), 126 - length + near)
        mantissa = (w[3] & np.uint64(0x7FFFFF)).astype(np.int64) & keep
        out["scale"] = (exponent << 23 | mantissa).astype(np.uint32)
        out["shift"] = np.zeros(CASES, np.int8)
    elif mode == "tflite":
        # The shift is limited so that the result fits int32, as TFLite and TOSA require.
        m = 1 << 30 | ((w[3] & np.uint64(0x3FFFFFFF)).astype(np.int64) & keep)
        out["scale"] = np.where(field(w[3], 48, 64) == 0, 0, m).astype(np.uint32)
        shift = np.where(anywhere, field(w[2], 48, 61) - 31, near - length)
        out["shift"] = np.clip(shift, -31, np.minimum(29, 30 - length)).astype(np.int8)
    else:
        # TFLite makes multiplier and shift from a scale of the input and one of the filter.
        a = 0x3F800000 | (w[3][thousand] >> np.uint64(32) & np.uint64(0x7FFFFF)).astype(np.int64)
        a = np.where(thousand // BLOCK % 2 == 0, 0x3F800000, a)
        exponent = np.where(anywhere, field(w[2], 48, 61) - 33, near - length - 1)
        exponent = np.clip(exponent, -36, 28 - length) + 127
        f = exponent << 23 | ((w[3] & np.uint64(0x7FFFFF)).astype(np.int64) & keep)
        out["a"], out["f"] = a.astype(np.uint32).view(np.float32), f.astype(np.uint32).view(np.float32)
        out["scale"], out["shift"] = quantised_multiplier(out["a"].astype(np.float64) * out["f"].astype(np.float64))
    return out


def quantised_multiplier(scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gives multiplier u32 and shift i8 of float64 scales by the rule of TFLite's QuantizeMultiplier."""
    fraction, shift = np.frexp(scale)
    m = np.floor(fraction * 2.0**31 + 0.5).astype(np.int64)
    shift = np.where(m == 2**31, shift + 1, shift)
    m = np.where(m == 2**31, 2**30, m)
    tiny = shift < -31
    return np.where(tiny, 0, m).astype(np.uint32), np.where(tiny, 0, shift).astype(np.int8)


def limits(dtype: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.where(dtype == 0, -128, 0), np.where(dtype == 0, 127, 255)


def digests(results: np.ndarray) -> bytes:
    """Gives the digests of results, one byte or one fp32 each."""
    data = results.tobytes()
    size = len(data) // (len(results) // BLOCK)
    return b"".join(hashlib.sha256(data[at : at + size]).digest()[:8] for at in range(0, len(data), size))


def explicit(acc, scale, shift, zero_point, dtype, q) -> np.ndarray:
    """Gives the records of explicit cases."""
    record = np.zeros(len(acc), FIELDS)
    record["acc"], record["scale"], record["shift"] = acc, scale, shift
    record["zp"], record["q"], record["dtype"] = zero_point & 255, q & 255, dtype
    return record


def write(name: str, magic: bytes, record: np.ndarray, digest: bytes) -> None:
    body = magic + struct.pack("<II", len(record), len(digest) // 8) + record.tobytes() + digest
    path = pathlib.Path(__file__).with_name(name)
    path.write_bytes(body + hashlib.sha256(body).digest())
    print(f"{path.name}: {path.stat().st_size} bytes, SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}")


def fixed_cases(largest_shift: int) -> dict:
    """Gives the explicit cases of the fixed-point modes: all ties and saturations at which references can be asked.

    Ties: (j + 1/2) for all j of and around 8 bits, by every shift that can make it, with m = 2^30 and with m = 3 * 2^29.
    Saturation: the results around both ends of s8 and u8 and far beyond, by every shift; both ends of int32; m = 0 and m = 2^31 - 1.
    """
    rows = []
    for shift in range(-31, 1):
        for odd in range(-259, 260, 2):
            for m, third in ((2**30, 1), (3 * 2**29, 3)):
                acc = odd * 2 ** (-shift) * (1 if third == 1 else 2)
                if acc % third == 0 and INT32.min <= acc // third <= INT32.max:
                    rows.append((acc // third, m, shift, 0, 0))
    for shift in range(-31, largest_shift + 1):
        for dtype, low, high in ((0, -128, 127), (1, 0, 255)):
            for zero_point in (low, high, 3):
                for end in (low - zero_point, high - zero_point):
                    for r in (end - 1, end, end + 1):
                        for m in (2**30, 2**31 - 1, 0x5A82799A):
                            acc = round(r * 2.0 ** (31 - shift) / m)
                            rows.append((acc, m, shift, zero_point, dtype))
        for acc in (INT32.min, INT32.min + 1, INT32.max, 2**30, -(2**30), 1, -1, 0):
            for m in (0, 2**30, 2**31 - 1):
                for zero_point in (0, -128 if acc >= 0 else 127):
                    rows.append((acc, m, shift, zero_point, 0))
    table = np.array(rows, dtype=np.int64)
    acc, m, shift, zero_point, _ = table.T
    # The references require that neither the shifted accumulator nor the result with its zero point leaves int32.
    room = np.exp2(np.minimum(30 - shift, 31))
    fits = (acc >= -room) & (acc < room)
    exact = acc * (m / 2.0**31) * np.exp2(shift)
    fits &= np.abs(exact) < 2.0**31 - 300
    table = np.unique(table[fits], axis=0)
    return dict(zip(("acc", "scale", "shift", "zero_point", "dtype"), table.T))
