"""A TensorFlow graph without variables, and its constants."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class FrozenGraph:
    """A `GraphDef` without variables."""

    graph: Any
    """`tf.compat.v1.GraphDef` with nodes in topological order."""
    source: str
    """The tensor of the pictures, uint8 of shape `(n, height, width, 3)`."""
    outputs: dict[str, str]
    """Output names to tensors; `probabilities` first."""


def constant(node: Any) -> NDArray[Any]:
    """Return the value of the `Const` node."""
    import tensorflow as tf

    return np.asarray(tf.make_ndarray(node.attr["value"].tensor))


def constant_node(name: str, value: NDArray[Any]) -> Any:
    """Return a `Const` node called `name`."""
    import tensorflow as tf

    node = tf.compat.v1.NodeDef(name=name, op="Const")
    node.attr["dtype"].type = tf.as_dtype(value.dtype).as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
    return node
