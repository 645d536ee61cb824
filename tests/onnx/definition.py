# SPDX-License-Identifier: Apache-2.0
"""The quantised operators as they are defined, in NumPy: integers without loss, then the float32 steps of ONNX Runtime.

Nothing here is fast. No code is shared with the references of `judges.py`.
"""

import numpy as np


class Node:
    """A node with its inputs, by the names of the operator, and a bound behind it: None, ("Relu",) or ("Clip", min, max)."""

    def __init__(self, op, inputs, attributes=None, bound=None):
        self.op, self.attributes, self.bound = op, attributes or {}, bound
        self.inputs = {name: None if value is None else np.asarray(value) for name, value in inputs.items()}

    def replaced(self, **inputs):
        return Node(self.op, {**self.inputs, **inputs}, self.attributes, self.bound)


def get(node, name, usual=0):
    value = node.inputs.get(name)
    return np.array(usual) if value is None else value


def lines(value, rank, axis):
    """A vector of one per line, as a tensor that broadcasts: per row of A, per column of B."""
    if np.ndim(value) != 1 or np.size(value) == 1:
        return value
    return value.reshape([-1 if at == axis % rank else 1 for at in range(rank)]) if rank > 1 else value


def matmul(node, a, b):
    """The operands less their zero points; a vector has none per line."""
    zero_a, zero_b = get(node, "a_zero_point").astype(np.int64), get(node, "b_zero_point").astype(np.int64)
    a, b = node.inputs[a].astype(np.int64), node.inputs[b].astype(np.int64)
    return (a - lines(zero_a, a.ndim, -2)) @ (b - lines(zero_b, b.ndim, -1))


def window(node):
    """Strides, dilations and pads of a convolution, with the padding that auto_pad means."""
    x, w = node.inputs["x"], node.inputs["w"]
    axes = x.ndim - 2
    strides, dilations = (node.attributes.get(name, [1] * axes) for name in ("strides", "dilations"))
    pads, word = node.attributes.get("pads", [0] * 2 * axes), node.attributes.get("auto_pad", "NOTSET")
    if word.startswith("SAME"):
        begins, ends = [], []
        for size, kernel, stride, dilation in zip(x.shape[2:], w.shape[2:], strides, dilations, strict=True):
            total = max((-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
            begins.append(total // 2 if word == "SAME_UPPER" else total - total // 2)
            ends.append(total - begins[-1])
        pads = begins + ends
    return strides, dilations, pads


def convolution(node):
    x, w = node.inputs["x"].astype(np.int64), node.inputs["w"].astype(np.int64)
    x = x - get(node, "x_zero_point").astype(np.int64)
    zero = get(node, "w_zero_point").astype(np.int64)
    w = w - (zero.reshape([-1] + [1] * (w.ndim - 1)) if zero.size > 1 else zero.reshape(()))
    axes = x.ndim - 2
    strides, dilations, pads = window(node)
    x = np.pad(x, [(0, 0), (0, 0), *zip(pads[:axes], pads[axes:], strict=True)])
    sizes = [(x.shape[2 + at] - (w.shape[2 + at] - 1) * dilations[at] - 1) // strides[at] + 1 for at in range(axes)]
    groups = node.attributes.get("group", 1)
    y = np.zeros([x.shape[0], w.shape[0], *sizes], np.int64)
    inputs, outputs = w.shape[1], w.shape[0] // groups
    for group in range(groups):
        own = slice(group * outputs, (group + 1) * outputs)
        for tap in np.ndindex(*w.shape[2:]):
            places = [
                slice(tap[at] * dilations[at], tap[at] * dilations[at] + (sizes[at] - 1) * strides[at] + 1, strides[at])
                for at in range(axes)
            ]
            taken = x[(slice(None), slice(group * inputs, (group + 1) * inputs), *places)]
            y[:, own] += np.einsum("oi,ni...->no...", w[(own, slice(None), *tap)], taken)
    bias = get(node, "B")
    return y + (bias.astype(np.int64).reshape([-1] + [1] * axes) if bias.size > 1 else bias.astype(np.int64))


def pooling(node):
    """Sums of windows, less the zero points, and how many numbers each has."""
    x = node.inputs["X"].astype(np.int64) - get(node, "x_zero_point").astype(np.int64)
    if node.attributes.get("channels_last"):
        x = np.moveaxis(x, -1, 1)
    if node.op == "QLinearGlobalAveragePool":
        axes = tuple(range(2, x.ndim))
        sums, counts = x.sum(axes, keepdims=True), np.full([1] * x.ndim, np.prod(x.shape[2:]))
    else:
        ones = np.ones([x.shape[1], 1, *node.attributes["kernel_shape"]], np.int64)
        attributes = {name: value for name, value in node.attributes.items() if name in ("pads", "strides", "auto_pad")}

        def summed(maps):
            return convolution(Node("", {"x": maps, "w": ones}, {**attributes, "group": x.shape[1]}))

        sums, counts = summed(x), summed(np.ones_like(x))
        if node.attributes.get("count_include_pad"):
            counts = np.full_like(counts, ones[0].size)
    if node.attributes.get("channels_last"):
        return np.moveaxis(sums, 1, -1), np.moveaxis(counts, 1, -1)
    return sums, counts


def integers(node):
    """The int32 sums."""
    if node.op.endswith("Pool"):
        return pooling(node)[0].astype(np.int32)
    if node.op.endswith("MatMul") or node.op.startswith("MatMul"):
        sums = matmul(node, *(("A", "B") if node.op == "MatMulInteger" else ("a", "b")))
    else:
        sums = convolution(node)
    return sums.astype(np.int32)


def scales_of(node):
    """(a b) / y in float32, which holds the narrower formats exactly, as it broadcasts to the result; or x / (y n)."""
    if node.op.endswith("Pool"):
        return node.inputs["x_scale"] / (node.inputs["y_scale"] * pooling(node)[1].astype(np.float32))
    if node.op == "QLinearMatMul":
        a, b = node.inputs["a"], node.inputs["b"]
        first, second = lines(node.inputs["a_scale"], a.ndim, -2), lines(node.inputs["b_scale"], b.ndim, -1)
    else:
        first, second = node.inputs["x_scale"], node.inputs["w_scale"]
        if second.size > 1:
            second = second.reshape([-1] + [1] * (node.inputs["x"].ndim - 2))
    first, second, result = (np.asarray(value, np.float32) for value in (first, second, node.inputs["y_scale"]))
    return (first * second) / result


def bounded(node, y):
    match node.bound:
        case None:
            return y
        case ("Relu",):
            return np.maximum(y, np.zeros((), y.dtype))
        case ("Clip", low, high):
            return np.minimum(np.maximum(y, low), high)


def definition(node):
    sums = integers(node)
    if not node.op.startswith("QLinear"):
        return bounded(node, sums)
    product = sums.astype(np.float32) * scales_of(node)
    assert product.dtype == np.float32, product.dtype
    zero = node.inputs["y_zero_point"]
    info = np.iinfo(zero.dtype)
    return bounded(node, np.clip(np.rint(product).astype(np.int64) + zero, info.min, info.max).astype(zero.dtype))
