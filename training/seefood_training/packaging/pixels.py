"""The pixels that a network takes: four choices, and their arithmetic in NumPy and TensorFlow."""

from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from seefood.errors import UsageError
from seefood.imaging.resize_rule import Filter, Fit
from seefood_training.packaging.input_ranges import Numbers, parse_range
from seefood_training.packaging.network import FLOATS, Arrays, Function, numpy_type
from seefood_training.packaging.picture_input import PictureInput, filled

ChannelOrder = Literal["rgb", "bgr", "grey"]
_MIN_STEPS: Final = 200
"""Different whole numbers that a range must have room for, of the 256 levels of a pixel."""
CHANNELS: Final[tuple[ChannelOrder, ...]] = ("rgb", "bgr", "grey")


@dataclass(frozen=True, slots=True)
class PixelChoice:
    """How a picture becomes a network's input; None for what is not decided."""

    range: str | None = None
    filter: Filter | None = None
    fit: Fit | None = None
    channels: ChannelOrder | None = None
    crop_share: float | None = None
    """With the fit `crop`: the share of each side that is kept."""

    def or_else(self, other: "PixelChoice") -> "PixelChoice":
        """Return this choice, with what it leaves open taken from `other`."""
        return PixelChoice(
            self.range or other.range,
            self.filter or other.filter,
            self.fit or other.fit,
            self.channels or other.channels,
            self.crop_share or other.crop_share,
        )

    def without(self, other: "PixelChoice") -> "PixelChoice":
        """Return this choice, with what `other` decides left open."""
        decided = {each.name: None for each in fields(self) if getattr(other, each.name)}
        return replace(self, **decided)

    def __str__(self) -> str:
        share = self.crop_share or 1.0
        fit = f"{self.fit} {share:.3g}" if self.fit == "crop" and share < 1 else self.fit
        return ", ".join(filter(None, (self.range, self.filter, fit, self.channels)))


@dataclass(frozen=True, slots=True)
class PixelArithmetic:
    """`stored = pixel * scale + offset`, after which the channels may be reversed."""

    scale: Numbers
    """One number, or one for each of red, green and blue."""
    offset: Numbers
    reverse: bool

    def quantised(self, source: PictureInput) -> "PixelArithmetic":
        """Return the arithmetic of the numbers that a quantised input stores."""
        if not source.spec.scale:
            return self
        scale, zero = source.spec.scale, source.spec.zero_point
        return replace(
            self,
            scale=tuple(each / scale for each in self.scale),
            offset=tuple(each / scale + zero for each in self.offset),
        )


def arithmetic(range_name: str, channels: ChannelOrder | None) -> PixelArithmetic:
    """Return the arithmetic of `--input-range` and `--channels`."""
    chosen = parse_range(range_name)
    reverse = chosen.reverse if channels is None else channels == "bgr"
    return PixelArithmetic(chosen.scale, chosen.offset, reverse)


def channel_order(range_name: str, channels: ChannelOrder | None, depth: int) -> ChannelOrder:
    """Return the order of the channels that the network takes."""
    if depth == 1:
        return "grey"
    return channels or ("bgr" if parse_range(range_name).reverse else "rgb")


def check_whole_numbers(function: str, source: PictureInput, range_name: str) -> None:
    """Raise `UsageError` if an input of whole numbers cannot hold the range.

    A float in [0, 1] would become 0 or 1, and a negative number 0, without any error.
    """
    if source.spec.dtype in FLOATS or source.spec.scale:
        return
    chosen, limits = parse_range(range_name), np.iinfo(numpy_type(source.spec.dtype))
    low, high = min(chosen.offset), max(255 * s + o for s, o in _pairs(chosen.scale, chosen.offset))
    steps = min(abs(255 * each) for each in chosen.scale)
    if steps < _MIN_STEPS or low < limits.min or high > limits.max:
        raise UsageError(
            f"{function} takes whole numbers ({source.spec.dtype}), which cannot hold "
            f"`--input-range {range_name}`; leave the option out"
        )


def _pairs(scale: Numbers, offset: Numbers) -> list[tuple[float, float]]:
    pairs = np.broadcast_arrays(np.asarray(scale, float), np.asarray(offset, float))
    return list(zip(*(each.tolist() for each in pairs), strict=True))


def prepared(
    images: NDArray[np.uint8], source: PictureInput, pixels: PixelArithmetic
) -> NDArray[Any]:
    """Return the input for `images`, uint8 of shape `(n, height, width, channels)`, RGB or grey."""
    pixels = pixels.quantised(source)
    values = images.astype(np.float32)
    values = values * np.asarray(pixels.scale, np.float32) + np.asarray(pixels.offset, np.float32)
    if pixels.reverse:
        values = values[..., ::-1]
    kind = numpy_type(source.spec.dtype)
    if source.spec.dtype not in FLOATS:
        limits = np.iinfo(kind)
        values = np.clip(np.rint(values), limits.min, limits.max)
    return np.asarray(source.arrange(values).astype(kind))


def run(function: Function, source: PictureInput, inputs: NDArray[Any]) -> Arrays:
    """Return all outputs of `function` for `inputs`, of `(n, …)`, each of shape `(n, …)`."""
    if not source.one_by_one:
        return function.run(filled(source, inputs, np.asarray))
    rows = [
        function.run(
            filled(source, inputs[at : at + 1] if source.has_batch else inputs[at], np.asarray)
        )
        for at in range(len(inputs))
    ]
    join = np.concatenate if source.has_batch else np.stack
    return {key: join([np.asarray(row[key]) for row in rows]) for key in rows[0]}


def traced_input(image: Any, source: PictureInput, pixels: PixelArithmetic) -> Any:
    """Return TensorFlow's input for `image`, uint8 of `(n, height, width, channels)`."""
    import tensorflow as tf

    pixels = pixels.quantised(source)
    dtype = source.spec.dtype
    if dtype == "uint8" and pixels.scale == (1.0,) and pixels.offset == (0.0,):
        ready = image
    else:
        ready = tf.cast(image, tf.float32)
        if set(pixels.scale) != {1.0}:
            ready = ready * tf.constant(_shortest(pixels.scale))
        if set(pixels.offset) != {0.0}:
            ready = ready + tf.constant(_shortest(pixels.offset))
        if dtype not in FLOATS:
            ready = tf.saturate_cast(tf.round(ready), dtype)
    if pixels.reverse:
        ready = tf.gather(ready, [2, 1, 0], axis=3)
    return source.arrange(tf.cast(ready, dtype), tf)


def _shortest(values: Numbers) -> NDArray[np.float32]:
    """Return one number if all are equal, which is fastest in LiteRT."""
    array = np.asarray(values, np.float32)
    return np.asarray(array[0]) if len(set(values)) == 1 else array
