"""Adds class activation maps to a graph, at the cost of one matrix product.

They exist for a network that ends in global average pooling and one dense layer (Zhou et al. 2016,
"Learning Deep Features for Discriminative Localization"): the weights that map pooled features to
logits also map the features at each position to that position's contribution. The mean of a map
over all positions, plus the bias, is the logit.
"""

from typing import Any, Final

import numpy as np

from seefood_training.frozen_graph import FrozenGraph, constant, constant_node

SCORE_MAPS: Final = "score_maps"
"""The output's name."""
_SKIPPED_OPS: Final = frozenset({"Reshape", "Squeeze", "Softmax"})
_ADD_OPS: Final = frozenset({"Add", "AddV2", "BiasAdd"})
_MAX_CLASSES: Final = 100
"""The output needs a second copy of the last weights, which is large for many classes."""


def with_heat_maps(frozen: FrozenGraph) -> FrozenGraph:
    """Return `frozen` with the output `score_maps`, float32 `(n, rows, columns, classes)`.

    Returns `frozen` unchanged if the network has no such end.
    """
    import tensorflow as tf

    nodes = {node.name: node for node in frozen.graph.node}
    dense = _last_dense(nodes, _owner(next(iter(frozen.outputs.values()))))
    if dense is None:
        return frozen
    pool = nodes.get(_owner(dense.input[0]))
    while pool is not None and pool.op in {"Reshape", "Squeeze"}:
        pool = nodes.get(_owner(pool.input[0]))
    weights = nodes[_owner(dense.input[1])]
    if pool is None or not _is_global(pool, nodes) or weights.op != "Const":
        return frozen
    kernel = constant(weights)
    if kernel.shape[1] > _MAX_CLASSES or dense.attr["transpose_b"].b:
        return frozen
    proto = tf.compat.v1.GraphDef()
    proto.CopyFrom(frozen.graph)
    proto.node.append(constant_node(f"{SCORE_MAPS}/kernel", kernel[np.newaxis, np.newaxis]))
    node = proto.node.add(name=SCORE_MAPS, op="Conv2D")
    node.input.extend([pool.input[0], f"{SCORE_MAPS}/kernel"])
    node.attr["T"].type = tf.float32.as_datatype_enum
    node.attr["padding"].s = b"VALID"
    node.attr["strides"].list.i.extend([1, 1, 1, 1])
    return FrozenGraph(proto, frozen.source, {**frozen.outputs, SCORE_MAPS: f"{SCORE_MAPS}:0"})


def _last_dense(nodes: dict[str, Any], name: str) -> Any:
    """Return the matrix product before the softmax, or None if there is none."""
    node = nodes[name]
    while node.op in _SKIPPED_OPS | _ADD_OPS:
        computed = [each for each in node.input if nodes[_owner(each)].op != "Const"]
        if len(computed) != 1:
            return None
        node = nodes[_owner(computed[0])]
    return node if node.op == "MatMul" else None


def _is_global(node: Any, nodes: dict[str, Any]) -> bool:
    """Return whether `node` is the mean over height and width."""
    if node.op != "Mean" or nodes[_owner(node.input[1])].op != "Const":
        return False
    axes = np.atleast_1d(constant(nodes[_owner(node.input[1])])).tolist()
    return sorted(axis % 4 for axis in axes) == [1, 2]


def _owner(tensor: str) -> str:
    return tensor.split(":", maxsplit=1)[0]
