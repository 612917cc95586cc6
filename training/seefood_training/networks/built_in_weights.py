"""The backbone of the built-in bundle `hotdog`, for training without any other weights.

It is EfficientNet-Lite1 with ImageNet weights that were moved a little towards hot dogs, rounded to
16 bits. The bundle is part of the installation, so it needs no download.
"""

import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

NETWORK: Final = "efficientnet_lite1"
_CONSTANT: Final = re.compile(
    r"[^/]+/(?P<layer>\w+?)(_\d+)?/(?P<part>convolution/ReadVariableOp|depthwise/ReadVariableOp"
    r"|Squeeze)(/half)?"
)


def built_in_convolutions() -> "Callable[[str], tuple[NDArray[Any], NDArray[Any]]]":
    """Return a function from a convolution's name to its kernel and bias.

    It raises `KeyError` for a name that the bundle's network does not have.
    """
    import numpy as np
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    document = saved_model_pb2.SavedModel()
    document.ParseFromString((files("seefood") / "models/hotdog/saved_model.pb").read_bytes())
    constants: dict[tuple[str, bool], NDArray[Any]] = {}
    for node in document.meta_graphs[0].graph_def.node:
        if node.op == "Const" and (match := _CONSTANT.fullmatch(node.name)):
            value = tf.make_ndarray(node.attr["value"].tensor).astype(np.float32)
            constants[match["layer"], match["part"] == "Squeeze"] = value
    return lambda name: (constants[name, False], constants[name, True])
