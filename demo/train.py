#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains and quantises the digits network: digits.bin in, digits-mlp.bin out. Needs NumPy and nothing else.

    python3 train.py                    train, quantise, write digits-mlp.bin (README.md describes the format)
    python3 train.py --cross-validate   how the settings below were chosen: errors in five folds of the training part

Network: 64 pixels -> 90 ReLU -> 10 logits. 90 and 10 are no multiples of 16, 32 or 4, so the demo also runs partial tiles.

The split is fixed. Samples 0..1346 are the training part: all learning, all choices of settings and the calibration of the
quantisation see only them. Samples 1347..1796 are the test part: they are classified once, by the finished network.

The file comes out the same byte for byte, whatever processor and BLAS run NumPy. Matrix products do not promise an order of
summation, so every operand of one is first rounded to a multiple of a power of two (`grid`), coarse enough for all products
and sums to be exact in float64: then the order cannot matter. The exponential, whose last bit depends on the processor, is
rounded in the same way, and everything else is one correctly rounded IEEE operation per element.

The integer network is quantised after training. Its arithmetic is the core's rounding mode `onnx`, see `requantise`.
"""

import argparse
import hashlib
import math
import pathlib
import struct

import numpy as np

HERE = pathlib.Path(__file__).parent
MAGIC = b"QDGTMLP1"
PIXELS, HIDDEN, CLASSES = 64, 90, 10

# Chosen by --cross-validate.
SETTINGS = {
    "seed": 0,
    "epochs": 300,
    "batch": 64,
    "learning_rate": 0.01,  # falls to 0 along half a cosine
    "weight_decay": 0.03,  # decoupled from the gradient, as in AdamW
    "label_smoothing": 0.1,
    "shift": 0.4,  # each copy of an image moves by up to this many pixels
    "distortion": 0.2,  # and every entry of its 2x2 map differs from the identity by up to this much
    "intensity": 0.2,  # and its ink becomes darker or lighter by up to this part
    "averaging": 0.995,  # per step; the network that is kept is the running average of the weights
}


# ---- data ----


def read_digits() -> tuple[np.ndarray, np.ndarray, int, bytes]:
    """Gives pixels [count, 64] u8, labels [count] u8, the number of training samples and the SHA-256 of the file."""
    content = (HERE / "digits.bin").read_bytes()
    body, checksum = content[:-32], content[-32:]
    assert hashlib.sha256(body).digest() == checksum, "digits.bin: the checksum does not match"
    magic, count, height, width, train_count, largest = struct.unpack_from("<8sIHHII", body)
    assert (magic, height, width, largest) == (b"QDIGITS1", 8, 8, 16), "digits.bin: not the expected header"
    records = np.frombuffer(body, np.uint8, offset=24).reshape(count, 65)
    return records[:, :64], records[:, 64], train_count, hashlib.sha256(content).digest()


# ---- training, in float64 ----


def grid(x: np.ndarray, bits: int) -> np.ndarray:
    """Rounds to multiples of 2^-bits."""
    return np.rint(x * 2.0**bits) * 2.0**-bits


def augment(images: np.ndarray, rng: np.random.Generator, settings: dict) -> np.ndarray:
    """Gives every image [n, 64] a random small affine distortion (bilinear, zeros outside) and a random intensity."""
    n = len(images)
    centred = np.arange(8) - 3.5
    y, x = (axis.ravel() for axis in np.meshgrid(centred, centred, indexing="ij"))
    a = rng.uniform(-settings["distortion"], settings["distortion"], (4, n, 1))
    move = rng.uniform(-settings["shift"], settings["shift"], (2, n, 1))
    ink = 1 + rng.uniform(-settings["intensity"], settings["intensity"], (n, 1))
    source_y = (1 + a[0]) * y + a[1] * x + move[0] + 3.5
    source_x = a[2] * y + (1 + a[3]) * x + move[1] + 3.5

    padded = np.zeros((n, 12, 12))
    padded[:, 2:10, 2:10] = images.reshape(n, 8, 8)
    padded = padded.reshape(n, 144)
    top, left = np.floor(source_y), np.floor(source_x)
    down, right = source_y - top, source_x - left
    corner = np.clip(top.astype(int) + 2, 0, 10) * 12 + np.clip(left.astype(int) + 2, 0, 10)
    sample = np.arange(n)[:, None]
    upper = (1 - right) * padded[sample, corner] + right * padded[sample, corner + 1]
    lower = (1 - right) * padded[sample, corner + 12] + right * padded[sample, corner + 13]
    return grid(np.clip(((1 - down) * upper + down * lower) * ink, 0, 1), 8)


def train(images: np.ndarray, labels: np.ndarray, settings: dict) -> list[np.ndarray]:
    """Gives w1 [64, 90], b1 [90], w2 [90, 10], b2 [10] as multiples of 2^-18 that float32 holds exactly.

    `images` is [n, 64] in 0..1. Cross entropy with smoothed labels, AdamW, averaged weights.
    """
    rng = np.random.default_rng(settings["seed"])
    weights = [
        rng.uniform(-1, 1, (PIXELS, HIDDEN)) * math.sqrt(6 / PIXELS),
        np.zeros(HIDDEN),
        rng.uniform(-1, 1, (HIDDEN, CLASSES)) * math.sqrt(3 / HIDDEN),
        np.zeros(CLASSES),
    ]
    first = [np.zeros_like(w) for w in weights]  # Adam's running mean of the gradient
    second = [np.zeros_like(w) for w in weights]  # and of its square
    average = [w.copy() for w in weights]
    smoothing = settings["label_smoothing"]
    targets = (np.eye(CLASSES) * (1 - smoothing) + smoothing / CLASSES)[labels]
    n, batch = len(images), settings["batch"]
    steps, step = settings["epochs"] * -(-n // batch), 0
    first_left = second_left = 1.0  # 0.9^step and 0.999^step, by products: a library's pow is not exact
    for _ in range(settings["epochs"]):
        order = rng.permutation(n)
        seen = augment(images, rng, settings)
        for start in range(0, n, batch):
            chosen = order[start : start + batch]
            x = seen[chosen]
            w1, b1, w2, b2 = (grid(w, 18) for w in weights)
            h = grid(np.maximum(x @ w1 + b1, 0), 16)
            logits = h @ w2 + b2
            e = grid(np.exp(logits - logits.max(axis=1, keepdims=True)), 24)
            d_logits = grid((e / e.sum(axis=1, keepdims=True) - targets[chosen]) / len(chosen), 26)
            d_h = grid((d_logits @ w2.T) * (h > 0), 28)
            gradients = [x.T @ d_h, d_h.sum(axis=0), h.T @ d_logits, d_logits.sum(axis=0)]

            step += 1
            first_left *= 0.9
            second_left *= 0.999
            rate = settings["learning_rate"] * 0.5 * (1 + round(math.cos(math.pi * step / steps), 12))
            for i, gradient in enumerate(gradients):
                first[i] += 0.1 * (gradient - first[i])
                second[i] += 0.001 * (gradient * gradient - second[i])
                update = (first[i] / (1 - first_left)) / (np.sqrt(second[i] / (1 - second_left)) + 1e-8)
                if weights[i].ndim == 2:
                    update = update + settings["weight_decay"] * weights[i]
                weights[i] -= rate * update
                average[i] += (1 - settings["averaging"]) * (weights[i] - average[i])
    kept = [grid(w, 18) for w in average]
    assert all(np.abs(w).max() < 2**6 for w in kept), "a weight has left the range that float32 holds on this grid"
    return kept


def float_layers(weights: list[np.ndarray], images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gives the hidden activations [n, 90] and the logits [n, 10] of images [n, 64] in 0..1."""
    w1, b1, w2, b2 = weights
    h = np.maximum(images @ w1 + b1, 0)
    return h, grid(h, 16) @ w2 + b2


# ---- quantisation ----


def requantise(acc: np.ndarray, scale: np.ndarray, zero_point: int, low: int, high: int) -> np.ndarray:
    """The core's mode `onnx`: acc [m, n] int32 to quantised [m, n] int32 in low..high; scale [n] float32.

    int32 to float32 (nearest even), one float32 product (nearest even), round half to even, add the zero point, saturate.
    """
    assert acc.dtype == np.int32 and scale.dtype == np.float32
    y = acc.astype(np.float32) * scale
    assert y.dtype == np.float32
    r = np.clip(np.rint(y).astype(np.float64), -(2.0**31), 2.0**31 - 1).astype(np.int64)
    return np.clip(r + zero_point, low, high).astype(np.int32)


def per_channel(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gives int8 weights [k, n] and a float32 scale per output channel [n]; symmetric, so -128 never occurs."""
    scale = (np.abs(weights).max(axis=0) / 127).astype(np.float32)
    assert (scale > 0).all(), "an output channel has no weight at all"
    return np.clip(np.rint(weights / scale.astype(np.float64)), -127, 127).astype(np.int8), scale


def quantise(weights: list[np.ndarray], pixels: np.ndarray) -> dict:
    """Gives the integer network; `pixels` [n, 64] u8 are the samples whose largest activations set the ranges."""
    w1, b1, w2, b2 = weights
    hidden, logits = float_layers(weights, pixels / 16)
    net = {"input_scale": np.float32(1 / 16), "hidden_zero_point": 0}
    net["w1"], net["w1_scale"] = per_channel(w1)
    net["w2"], net["w2_scale"] = per_channel(w2)
    net["hidden_scale"] = np.float32(hidden.max() / 255)
    net["output_scale"] = np.float32((logits.max() - logits.min()) / 255)
    net["output_zero_point"] = int(np.rint(-128 - logits.min() / np.float64(net["output_scale"])))
    assert -128 <= net["output_zero_point"] <= 127, "the logits do not reach across 0"

    # Accumulators count in units of (scale of the operand) * (scale of the weights), one unit per output channel.
    unit1 = np.float64(net["input_scale"]) * net["w1_scale"].astype(np.float64)
    unit2 = np.float64(net["hidden_scale"]) * net["w2_scale"].astype(np.float64)
    net["b1"] = np.rint(b1 / unit1).astype(np.int32)
    net["b2"] = np.rint(b2 / unit2).astype(np.int32)
    net["scale1"] = (unit1 / np.float64(net["hidden_scale"])).astype(np.float32)
    net["scale2"] = (unit2 / np.float64(net["output_scale"])).astype(np.float32)
    for scale in (net["scale1"], net["scale2"]):
        assert (np.isfinite(scale) & (scale >= np.finfo(np.float32).tiny)).all(), "a scale the core would refuse"
    return net


def integer_layers(net: dict, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gives hidden [n, 90] u8 and output [n, 10] s8 of pixels [n, 64] u8, exactly as the core computes them."""
    acc1 = pixels.astype(np.int32) @ net["w1"].astype(np.int32) + net["b1"]
    hidden = requantise(acc1, net["scale1"], net["hidden_zero_point"], 0, 255)  # saturating at 0 is the ReLU
    acc2 = hidden @ net["w2"].astype(np.int32) + net["b2"]
    output = requantise(acc2, net["scale2"], net["output_zero_point"], -128, 127)
    return hidden.astype(np.uint8), output.astype(np.int8)


def correct(outputs: np.ndarray, labels: np.ndarray) -> int:
    """Counts the rows whose largest value (of equal ones the first) stands at the label."""
    return int((np.argmax(outputs, axis=1) == labels).sum())


# ---- the two commands ----


def cross_validate(pixels: np.ndarray, labels: np.ndarray) -> None:
    """Prints errors per setting over five contiguous folds of the training part, for three seeds.

    Contiguous, because the set is not shuffled: neighbours may share a writer, and a held writer is the fairer question.
    """
    edges = np.linspace(0, len(pixels), 6).astype(int)
    off = {"shift": 0, "distortion": 0, "intensity": 0}
    trials = [
        ("as set", {}),
        ("no augmentation", off),
        ("half the distortion", {"distortion": 0.1}),
        ("twice the shift", {"shift": 0.8}),
        ("no change of intensity", {"intensity": 0}),
        ("a tenth of the weight decay", {"weight_decay": 0.003}),
        ("a third of the learning rate", {"learning_rate": 0.003}),
        ("no label smoothing", {"label_smoothing": 0}),
    ]
    for name, change in trials:
        wrong = {"float": 0, "integer": 0}
        for seed in range(3):
            for low, high in zip(edges[:-1], edges[1:]):
                held = np.zeros(len(pixels), bool)
                held[low:high] = True
                weights = train(pixels[~held] / 16, labels[~held], SETTINGS | change | {"seed": seed})
                _, logits = float_layers(weights, pixels[held] / 16)
                _, output = integer_layers(quantise(weights, pixels[~held]), pixels[held])
                wrong["float"] += high - low - correct(logits, labels[held])
                wrong["integer"] += high - low - correct(output, labels[held])
        rates = ", ".join(f"{kind} {100 - 100 * count / len(pixels) / 3:.2f} %" for kind, count in wrong.items())
        print(f"{name:30} {rates}", flush=True)


def write_network(pixels: np.ndarray, labels: np.ndarray, train_count: int, digits_sha: bytes) -> None:
    """Trains on the training part, classifies the test part once, writes digits-mlp.bin and prints the figures."""
    weights = train(pixels[:train_count] / 16, labels[:train_count], SETTINGS)
    net = quantise(weights, pixels[:train_count])

    test, test_labels = pixels[train_count:], labels[train_count:]
    _, logits = float_layers(weights, test / 16)
    hidden, output = integer_layers(net, test)
    float_correct, integer_correct = correct(logits, test_labels), correct(output, test_labels)

    header = MAGIC + struct.pack(
        "<IIIIIIIiifffI",
        PIXELS,
        HIDDEN,
        CLASSES,
        train_count,
        len(test),
        float_correct,
        integer_correct,
        net["hidden_zero_point"],
        net["output_zero_point"],
        net["input_scale"],
        net["hidden_scale"],
        net["output_scale"],
        SETTINGS["seed"],
    ) + bytes(4)
    body = header + b"".join(w.astype("<f4").tobytes() for w in weights)
    body += b"".join(net[name].astype("<i4").tobytes() for name in ("b1", "b2"))
    body += b"".join(net[name].astype("<f4").tobytes() for name in ("scale1", "scale2", "w1_scale", "w2_scale"))
    body += b"".join(net[name].tobytes() for name in ("w1", "w2"))
    body += digits_sha + hashlib.sha256(hidden.tobytes()).digest() + hashlib.sha256(output.tobytes()).digest()
    path = HERE / "digits-mlp.bin"
    path.write_bytes(body + hashlib.sha256(body).digest())

    ordered = np.sort(logits, axis=1)
    ordered_output = np.sort(output, axis=1)
    print(f"test samples   {len(test)}")
    for kind, count in (("float", float_correct), ("integer", integer_correct)):
        print(f"{kind:14} {count} correct, {100 * count / len(test):.2f} %")
    print(f"same class     {(logits.argmax(axis=1) == output.argmax(axis=1)).sum()} of {len(test)}")
    print(f"closest call   float {(ordered[:, -1] - ordered[:, -2]).min():.6f},", end=" ")
    print(f"integer ties for the first place {(ordered_output[:, -1] == ordered_output[:, -2]).sum()}")
    print(f"{path.name} {path.stat().st_size} bytes, SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains and quantises the digits network.")
    parser.add_argument("--cross-validate", action="store_true", help="compare settings inside the training part")
    arguments = parser.parse_args()
    pixels, labels, train_count, digits_sha = read_digits()
    if arguments.cross_validate:
        cross_validate(pixels[:train_count], labels[:train_count])
    else:
        write_network(pixels, labels, train_count, digits_sha)


if __name__ == "__main__":
    main()
