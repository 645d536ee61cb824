# SPDX-License-Identifier: Apache-2.0
"""What a job must give, computed with NumPy from its operands by the rules of docs/numerics.md."""

import numpy as np


def gemm(spec, operands, dtype):
    """C[m, n] of a[m, k] and b[k, n], or b[n, k] if `b_transposed`."""
    a = operands["a"].astype(np.int64) - spec["zero_point_a"]
    b = operands["b"].T if spec["b_transposed"] else operands["b"]
    b = b.astype(np.int64) - parameter("zero_point_b", spec, operands)
    return finish(a @ b, spec, operands, dtype)


def conv(spec, operands, dtype):
    """y[batch, height, width, channel] of x[batch, height, width, channel] and w[channel out, height, width, channel in / groups]; `pad` is top,
    left, bottom, right, of what becomes 0 when its zero point is subtracted."""
    x = operands["x"].astype(np.int64) - spec["zero_point_x"]
    channels, kernel_height, kernel_width, depth = operands["w"].shape
    zero_points = np.broadcast_to(parameter("zero_point_w", spec, operands), (channels,))
    w = operands["w"].astype(np.int64) - zero_points[:, None, None, None]
    (top, left, bottom, right), groups = spec["pad"], spec["groups"]
    (step_down, step_right), (apart_down, apart_right) = spec["stride"], spec["dilation"]
    x = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    height = (x.shape[1] - apart_down * (kernel_height - 1) - 1) // step_down + 1
    width = (x.shape[2] - apart_right * (kernel_width - 1) - 1) // step_right + 1
    per_group = channels // groups
    sums = np.zeros((x.shape[0], height, width, channels), np.int64)
    for group in range(groups):
        inputs = x[..., group * depth : (group + 1) * depth]
        outputs = slice(group * per_group, (group + 1) * per_group)
        for i in range(kernel_height):
            rows = slice(i * apart_down, i * apart_down + step_down * (height - 1) + 1, step_down)
            for j in range(kernel_width):
                columns = slice(j * apart_right, j * apart_right + step_right * (width - 1) + 1, step_right)
                sums[..., outputs] += inputs[:, rows, columns] @ w[outputs, i, j].T
    return finish(sums, spec, operands, dtype)


def parameter(name, spec, operands):
    """An array with a number per channel if there is one, else the number for all of them."""
    return operands[name].astype(np.int64) if name in operands else spec[name]


def finish(sums, spec, operands, dtype):
    """Bias, requantisation, ReLU, clamp; channels are the last dimension."""
    accumulators = sums + operands["bias"].astype(np.int64) if "bias" in operands else sums
    accumulators = accumulators.astype(np.int32)  # modulo 2^32
    if dtype == "float32":
        products = scaled(accumulators, spec, operands)
        return np.maximum(products, np.float32(0)) if spec["relu"] else products
    if dtype == "int32":
        numbers, zero = accumulators.astype(np.int64), 0
    else:
        zero, limits = spec["zero_point_out"], np.iinfo(dtype)
        if spec["rounding"] == "onnx":
            numbers = np.rint(scaled(accumulators, spec, operands)).astype(np.float64)
        else:
            multiplier, shift = (parameter(name, spec, operands) for name in ("multiplier", "shift"))
            numbers = multiplied(accumulators.astype(np.int64), multiplier, shift, spec["rounding"])
        int32 = np.iinfo(np.int32)
        numbers = np.clip(np.clip(numbers, int32.min, int32.max).astype(np.int64) + zero, limits.min, limits.max)
    if spec["relu"]:
        numbers = np.maximum(numbers, zero)
    if spec["clamp"] is not None:
        low, high = spec["clamp"]
        numbers = np.minimum(np.maximum(numbers, low), high)
    return numbers.astype(dtype)


def scaled(accumulators, spec, operands):
    """Int32 times scale in float32."""
    scale = operands["scale"] if "scale" in operands else np.float32(spec["scale"])
    with np.errstate(over="ignore"):
        return accumulators.astype(np.float32) * scale


def multiplied(accumulators, multiplier, shift, mode):
    """Int32 times multiplier times 2^(shift - 31), rounded once half up; gemmlowp rounds before a shift to the right, and after it half away from zero."""
    once = (accumulators * multiplier + (1 << (30 - shift))) >> (31 - shift)
    if mode == "tflite":
        return once
    right = np.maximum(-np.asarray(shift), 0)
    high = (accumulators * multiplier + (1 << 30)) >> 31
    twice = np.sign(high) * ((np.abs(high) + (1 << right >> 1)) >> right)
    return np.where(np.asarray(shift) < 0, twice, once)


KINDS = {"gemm": gemm, "conv": conv}
