"""Rewrites a graph of mixed precision to compute in float32.

Networks trained under Keras's `mixed_float16` policy compute in 16 bits inside. LiteRT has no such
convolutions, and processors without 16-bit arithmetic are slower with them. The weights keep the
values that they have in 16 bits; sums are more exact than before.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np


def in_single_precision(proto: Any) -> Any:
    """Return the `GraphDef` with every 16-bit floating point tensor as float32.

    The same object is returned if there is none.
    """
    import tensorflow as tf

    half = {tf.float16.as_datatype_enum, tf.bfloat16.as_datatype_enum}
    single = tf.float32.as_datatype_enum
    if not any(half.intersection(_types(node)) for node in _nodes(proto)):
        return proto
    rewritten = tf.compat.v1.GraphDef()
    rewritten.CopyFrom(proto)
    for node in _nodes(rewritten):
        for attribute in node.attr.values():
            kind = attribute.WhichOneof("value")  # touching another field would set it
            if kind == "type" and attribute.type in half:
                attribute.type = single
            elif kind == "list" and half.intersection(attribute.list.type):
                attribute.list.type[:] = [
                    single if each in half else each for each in attribute.list.type
                ]
            elif kind == "tensor" and attribute.tensor.dtype in half:
                value = np.asarray(tf.make_ndarray(attribute.tensor)).astype(np.float32)
                attribute.tensor.CopyFrom(tf.make_tensor_proto(value))
    for function in rewritten.library.function:
        for argument in (*function.signature.input_arg, *function.signature.output_arg):
            if argument.type in half:
                argument.type = single
    return rewritten


def _nodes(proto: Any) -> Iterator[Any]:
    yield from proto.node
    for function in proto.library.function:
        yield from function.node_def


def _types(node: Any) -> Iterator[int]:
    for attribute in node.attr.values():
        yield attribute.type
        yield from attribute.list.type
