"""What the operations of a file tell: which one computes an output, which one is random."""

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

Key = TypeVar("Key")

_CARRYING: Final = frozenset(
    {"reshape", "cast", "identity", "squeeze", "expanddims", "unsqueeze", "flatten"}
)
_ROUNDING: Final = frozenset({"quantizelinear", "dequantizelinear", "quantize", "dequantize"})
_TENSORFLOW_NAMES: Final = {
    "softmax": "Softmax",
    "sigmoid": "Sigmoid",
    "logistic": "Sigmoid",
    "topk": "TopK",
    "topkv2": "TopK",
    "argmax": "ArgMax",
    "reducemax": "Max",
    "relu": "Relu",
    "relu6": "Relu6",
    "elu": "Elu",
    "tanh": "Tanh",
}
"""One name for an operation that TensorFlow, LiteRT (`TOPK_V2`) and ONNX (`TopK`) have."""


_RANDOM: Final = ("random", "multinomial", "bernoulli")


def random_among(operations: Iterable[str]) -> str | None:
    """Return the first of `operations` that draws random numbers, or None."""
    return next((each for each in operations if each.lower().startswith(_RANDOM)), None)


def origin(producers: Mapping[Key, tuple[str, Key | None]], output: Key) -> tuple[str | None, bool]:
    """Return the operation that computes the tensor `output`, and whether it was rounded after.

    `producers` has each tensor's operation and the first tensor that this takes.
    """
    tensor: Key | None = output
    is_rounded = False
    while tensor is not None and tensor in producers:
        name, tensor = producers[tensor]
        plain = name.replace("_", "").lower()
        if plain not in _CARRYING | _ROUNDING:
            return _TENSORFLOW_NAMES.get(plain, name), is_rounded
        is_rounded |= plain in _ROUNDING
    return None, is_rounded
