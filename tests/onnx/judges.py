# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime and onnx.reference on a node, and whether they agree with its definition."""

import numpy as np
import onnxruntime
from definition import Node, bounded, definition, integers, lines, scales_of
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

U8, S8 = np.dtype(np.uint8), np.dtype(np.int8)


def model(node, constants=(), typed=()):
    """The node as a model. Inputs in `constants` are initializers, those in `typed` with their numbers one by one."""
    given = {name: value for name, value in node.inputs.items() if value is not None}
    names = [name if value is not None else "" for name, value in node.inputs.items()]
    while names and not names[-1]:
        names.pop()
    dtype = helper.np_dtype_to_tensor_dtype

    def initializer(name, value):
        if name in typed:
            return helper.make_tensor(name, dtype(value.dtype), value.shape, value.ravel().tolist())
        return numpy_helper.from_array(value, name)

    y = definition(node)
    domain = "com.microsoft" if node.op.endswith("Pool") else ""
    output = "y" if node.bound is None else "unbounded"
    nodes = [helper.make_node(node.op, names, [output], domain=domain, **node.attributes)]
    extra = []
    if node.bound is not None:
        bounds = dict(zip(["min", "max"], node.bound[1:], strict=False))
        extra = [numpy_helper.from_array(np.array(value, y.dtype), name) for name, value in bounds.items()]
        nodes.append(helper.make_node(node.bound[0], ["unbounded", *bounds], ["y"]))
    graph = helper.make_graph(
        nodes,
        node.op,
        [helper.make_tensor_value_info(n, dtype(v.dtype), v.shape) for n, v in given.items() if n not in constants],
        [helper.make_tensor_value_info("y", dtype(y.dtype), y.shape)],
        [initializer(name, given[name]) for name in given if name in constants] + extra,
    )
    versions = [helper.make_opsetid("", 21)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    return helper.make_model(graph, opset_imports=versions, ir_version=10)


def runtime(node):
    """What ONNX Runtime computes of the node without its bound, or None if it has no kernel."""
    node = Node(node.op, node.inputs, node.attributes)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = onnxruntime.InferenceSession(model(node).SerializeToString(), options, ["CPUExecutionProvider"])
        return session.run(None, {name: value for name, value in node.inputs.items() if value is not None})[0]
    except Exception as error:  # noqa: BLE001 - the library has no narrower one for both
        if any(
            word in str(error)
            for word in ("NOT_IMPLEMENTED", "zero point must be", "Non per-tensor quantization", "Type 'tensor(bfloat16)'")
        ):
            return None
        raise


def moved(node):
    """The node with all int8 operands and results as uint8: values and zero points plus 128."""
    inputs = dict(node.inputs)
    for names in [
        ("A", "a_zero_point"),
        ("B", "b_zero_point"),
        ("a", "a_zero_point"),
        ("b", "b_zero_point"),
        ("x", "x_zero_point"),
        ("w", "w_zero_point"),
        ("y_zero_point",),
    ]:
        value = inputs.get(names[0])
        if value is not None and value.dtype == S8:
            for name in names:
                zero = inputs[name] if inputs.get(name) is not None else np.array(0, S8)
                inputs[name] = np.array(zero.astype(np.int16) + 128, np.uint8)
    # MatMulInteger's inputs stay in the order of the operator.
    return Node(node.op, {name: inputs.get(name) for name in [*node.inputs, *inputs]}, node.attributes)


def row_by_row(node):
    """Of a product whose A or result has something per row: ONNX Runtime on every row for itself."""
    a, b = ("A", "B") if node.op == "MatMulInteger" else ("a", "b")
    left, right = node.inputs[a], node.inputs[b]
    y = np.empty(definition(Node(node.op, node.inputs)).shape, definition(Node(node.op, node.inputs)).dtype)
    stack = y.shape[:-2]

    def matrix(value, shape):
        return np.broadcast_to(value, (*stack, *shape))

    left, right = matrix(left, left.shape[-2:]), matrix(right, right.shape[-2:])
    m, n = left.shape[-2], right.shape[-1]
    for at in np.ndindex(*stack, m):
        batch, row = at[:-1], at[-1]
        inputs = {a: left[batch][row : row + 1], b: right[batch]}
        for name, value in node.inputs.items():
            if name in (a, b) or value is None:
                continue
            if name.startswith("b_"):
                value = matrix(lines(value, 2, -1) if value.ndim < 2 else value, (1, n))[batch][0]
            else:
                value = matrix(lines(value, 2, -2) if value.ndim < 2 else value, (m, 1))[batch][row, 0]
            inputs[name] = np.array(value)
        single = Node(node.op, {name: inputs.get(name) for name in node.inputs})
        found = runtime(single)
        y[at] = (runtime_moved(single) if found is None or (found != definition(single)).any() else found)[0]
    return y


def runtime_moved(node):
    found = runtime(moved(node))
    zero = node.inputs.get("y_zero_point")
    if found is not None and zero is not None and zero.dtype == S8:
        return (found.astype(np.int16) - 128).astype(np.int8)
    return found


def channel_by_channel(node):
    """Of ConvInteger with a zero point per channel: ONNX Runtime on every channel for itself."""
    x, w, zero, groups = node.inputs["x"], node.inputs["w"], node.inputs["w_zero_point"], node.attributes.get("group", 1)
    inputs, outputs = w.shape[1], w.shape[0] // groups
    channels = []
    for channel in range(w.shape[0]):
        first = channel // outputs * inputs
        own = {"x": x[:, first : first + inputs], "w": w[channel : channel + 1], "w_zero_point": zero[channel]}
        channels.append(runtime_moved(Node(node.op, {**node.inputs, **own}, {**node.attributes, "group": 1})))
    return np.concatenate(channels, axis=1)


def with_float32(node):
    """The node with its scales as float32."""
    return node.replaced(
        **{n: v.astype(np.float32) for n, v in node.inputs.items() if n.endswith("scale") and v is not None}
    )


def judged_by_runtime(node, expected):
    """In which way ONNX Runtime computes it; in the end it agrees."""
    unbounded = Node(node.op, node.inputs, node.attributes)
    found, how = runtime(unbounded), "itself"
    if found is None or (bounded(node, found) != expected).any():
        how = "no kernel" if found is None else "saturates"
        operands = {"MatMulInteger": "AB", "QLinearMatMul": "ab"}.get(node.op, "xw")
        assert how == "no kernel" or {node.inputs[name].dtype for name in operands} == {U8, S8}, (
            "it differs, and not where its kernel saturates"
        )
        unbounded = with_float32(unbounded)
        found = runtime_moved(unbounded)
        if found is None and "MatMul" in node.op:
            found, how = row_by_row(unbounded), "row by row"
        elif found is None:
            found, how = channel_by_channel(unbounded), "by channel"
    np.testing.assert_array_equal(bounded(node, found), expected)
    return how


def reference(node):
    return ReferenceEvaluator(model(node)).run(None, {k: v for k, v in node.inputs.items() if v is not None})[0]


def judged_by_reference(node, expected):
    """In how many elements onnx.reference differs, and with narrow scales as they are; None if it does not take the node."""
    if node.op.endswith("Pool"):
        return None
    # Its vectors of rows broadcast along the last axis, and its weights with one spatial axis have nothing per channel.
    rows = {
        name: lines(value, 2, -2)
        for name, value in node.inputs.items()
        if name in ("a_zero_point", "a_scale") and value is not None
    }
    node = node.replaced(**rows)
    if "Conv" in node.op and node.inputs["x"].ndim != 4:
        if any(np.size(node.inputs.get(name)) > 1 for name in ("w_zero_point", "w_scale")):
            return None
    found = reference(with_float32(node))
    differs = found != expected
    if not node.op.startswith("QLinear"):
        assert not differs.any(), "the integers differ"
        return 0, 0
    # Where they differ: by one, at what float64 or the zero point makes of a tie.
    exact = np.broadcast_to(integers(node) * scales_of(node).astype(np.float64), expected.shape)
    distance = np.abs(exact - np.floor(exact) - 0.5)
    assert (distance[differs] <= np.abs(exact[differs]) * 2.0**-22 + 2.0**-22).all(), "it differs away from a tie"
    assert (np.abs(found.astype(int) - expected)[differs] == 1).all()
    return int(differs.sum()), int((reference(node) != expected).sum())
