"""The pixel values that networks are trained on. Imports neither NumPy nor TensorFlow."""

import re
from dataclasses import dataclass
from typing import Final

from seefood.errors import UsageError

Numbers = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class InputRange:
    """How uint8 pixels become a network's input: `pixel * scale + offset`, in the order RGB.

    `scale` and `offset` have one number, or three for red, green and blue.
    """

    scale: Numbers
    offset: Numbers
    reverse: bool = False
    """Whether the network takes blue, green, red."""


def _standardised(mean: Numbers, deviation: Numbers, unit: float) -> InputRange:
    """Return the range of `(pixel / unit - mean) / deviation`."""
    return InputRange(
        tuple(1 / (unit * each) for each in deviation),
        tuple(-m / d for m, d in zip(mean, deviation, strict=True)),
    )


INPUT_RANGES: Final = {
    "0..255": InputRange((1.0,), (0.0,)),
    "0..1": InputRange((1 / 255,), (0.0,)),
    "-1..1": InputRange((1 / 127.5,), (-1.0,)),
    "imagenet": _standardised((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), 255),
    "caffe": InputRange((1.0,), (-123.68, -116.779, -103.939), reverse=True),
}
"""The named values of `--input-range`: `imagenet` is PyTorch's mean and deviation, `caffe` is BGR
minus the mean, as Keras's ResNet and VGG take it."""

GREY_RANGES: Final = ("0..255", "0..1", "-1..1")
"""The names that suit one channel."""

CAFFE_IN_RGB: Final = "123.68,116.779,103.939/1"

LESS_USUAL: Final = (
    "0.5/1",  # -0.5..0.5
    "127/127",  # what older snippets write for -1..1
    "127.5/128",
    CAFFE_IN_RGB,  # the mean without the deviation
    "0.48145466,0.4578275,0.40821073/0.26862954,0.26130258,0.27577711",  # CLIP
    "0.4914,0.4822,0.4465/0.247,0.2435,0.2616",  # CIFAR-10
    "0.1307/0.3081",  # MNIST
)
"""What a search by examples tries beside the names."""


def parse_range(text: str) -> InputRange:
    """Return the range called `text`, or that of MEAN/STD as numbers.

    MEAN and STD have one number, or three separated by commas. If none is above 1, they count in
    units of 0..1 as PyTorch's do, else in units of 0..255. Raises `UsageError` for anything else.
    """
    if text in INPUT_RANGES:
        return INPUT_RANGES[text]
    number = r"[+-]?\d*\.?\d+(?:[eE][+-]?\d+)?"
    numbers = rf"{number}(?:\s*,\s*{number}){{0,2}}"
    match = re.fullmatch(rf"\s*({numbers})\s*/\s*({numbers})\s*", text)
    mean, deviation = (_numbers(each) for each in match.groups()) if match else ((), ())
    count = max(len(mean), len(deviation))
    if match is None or 2 in {len(mean), len(deviation)} or not all(each > 0 for each in deviation):
        raise UsageError(
            f"`--input-range {text}` is not a range; give one of {', '.join(INPUT_RANGES)}, or "
            "MEAN/STD such as 0.485,0.456,0.406/0.229,0.224,0.225"
        )
    mean, deviation = (each * (count // len(each)) for each in (mean, deviation))
    unit = 255.0 if max(map(abs, (*mean, *deviation))) <= 1 else 1.0
    return _standardised(mean, deviation, unit)


def _numbers(text: str) -> Numbers:
    return tuple(float(each) for each in text.split(","))
