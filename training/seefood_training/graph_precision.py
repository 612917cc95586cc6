"""Makes a graph compute in float32 where it computes in float16, bfloat16 or float64.

LiteRT runs convolutions of float32 only, and processors have no arithmetic of 16 bits that would be
faster. The weights keep their values; results differ by what 16 bits round away.
"""

from typing import Any, Final

import numpy as np

from seefood_training.frozen_graph import constant, constant_node

_KEPT_OPS: Final = frozenset({"Placeholder"})


def in_float32(graph: Any) -> Any:
    """Return the `GraphDef` with every tensor of another float type as float32.

    The inputs keep their types; a cast follows each. Returns `graph` itself if it has no such type.
    """
    import tensorflow as tf

    other = {tf.float16.as_datatype_enum, tf.bfloat16.as_datatype_enum, tf.float64.as_datatype_enum}
    single = tf.float32.as_datatype_enum
    if not any(_types(node) & other for node in _all_nodes(graph)):
        return graph
    result = tf.compat.v1.GraphDef()
    result.CopyFrom(graph)
    for node in _all_nodes(result):
        if node.op == "Const" and node.attr["dtype"].type in other:
            node.CopyFrom(constant_node(node.name, constant(node).astype(np.float32)))
        elif node.op not in _KEPT_OPS:
            _replace_types(node, other, single)
    for function in result.library.function:
        for argument in (*function.signature.input_arg, *function.signature.output_arg):
            if argument.type in other:
                argument.type = single
    _cast_inputs(result, other, single)
    return result


def _all_nodes(graph: Any) -> list[Any]:
    return [*graph.node, *(node for each in graph.library.function for node in each.node_def)]


def _types(node: Any) -> set[int]:
    found = {value.type for value in node.attr.values()}
    for value in node.attr.values():
        found.update(value.list.type)
    return found


def _replace_types(node: Any, other: set[int], single: int) -> None:
    for value in node.attr.values():
        if value.WhichOneof("value") == "type" and value.type in other:
            value.type = single
        for at, kind in enumerate(value.list.type):
            if kind in other:
                value.list.type[at] = single


def _cast_inputs(graph: Any, other: set[int], single: int) -> None:
    """Put a cast behind each input of another float type."""
    for node in [node for node in graph.node if node.op == "Placeholder"]:
        kind = node.attr["dtype"].type
        if kind not in other:
            continue
        name = f"{node.name}/float32"
        for user in graph.node:
            for at, source in enumerate(user.input):
                if source in {node.name, f"{node.name}:0"}:
                    user.input[at] = name
        cast = graph.node.add(name=name, op="Cast", input=[node.name])
        cast.attr["SrcT"].type, cast.attr["DstT"].type = kind, single
