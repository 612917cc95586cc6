"""The pixel ranges that networks are trained on. Imports neither NumPy nor TensorFlow."""

from dataclasses import dataclass
from typing import Final

Channels = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class InputRange:
    """How uint8 pixels become a network's input: `pixel * scale + offset`, in the order RGB."""

    scale: Channels
    offset: Channels
    reverse: bool = False
    """Whether the network takes blue, green, red."""


_IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
_IMAGENET_DEVIATION: Final = (0.229, 0.224, 0.225)

INPUT_RANGES: Final = {
    "0..255": InputRange((1.0,) * 3, (0.0,) * 3),
    "0..1": InputRange((1 / 255,) * 3, (0.0,) * 3),
    "-1..1": InputRange((1 / 127.5,) * 3, (-1.0,) * 3),
    "imagenet": InputRange(
        tuple(1 / (255 * deviation) for deviation in _IMAGENET_DEVIATION),  # type: ignore[arg-type]
        tuple(-m / d for m, d in zip(_IMAGENET_MEAN, _IMAGENET_DEVIATION, strict=True)),  # type: ignore[arg-type]
    ),
    "caffe": InputRange((1.0,) * 3, (-123.68, -116.779, -103.939), reverse=True),
}
"""The values of `--input-range`: `imagenet` is PyTorch's mean and deviation, `caffe` is BGR minus
the mean, as Keras's ResNet and VGG take it."""
