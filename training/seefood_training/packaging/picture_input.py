"""Determines how a function takes pictures: which input, its layout, channels and size."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from seefood.errors import UsageError
from seefood_training.packaging.network import FLOATS, INTEGERS, Function, Shape, TensorSpec

Layout = Literal["nhwc", "nchw", "nhw", "flat"]
"""Order of the axes: of pictures, rows, columns, channels; `nhw` has no channel axis, `flat` has
one axis for rows, columns and channels."""
_CHANNELS: Final = (3, 1)
_LEAST_VALUES: Final = 64
"""Of one picture, where its rows are not told apart: 8x8, the smallest that people classify."""
_FALSE_NAMES: Final = ("train", "phase", "learning", "is_")
_KEEP_NAMES: Final = ("keep",)


@dataclass(frozen=True, slots=True)
class PictureInput:
    """How a function takes pictures."""

    spec: TensorSpec
    layout: Layout
    height: int
    width: int
    channels: int
    has_batch: bool = True
    """False for a function that takes one picture without an axis for more."""
    is_single: bool = False
    """Whether the axis of pictures has exactly one."""
    others: tuple[tuple[str, Any], ...] = ()
    """The other inputs with the values they are given: a training flag is false."""

    @property
    def one_by_one(self) -> bool:
        """Whether the function takes one picture at a time."""
        return self.is_single or not self.has_batch

    def arrange(self, pixels: NDArray[Any], library: Any = np) -> Any:
        """Return `pixels` of shape `(n, height, width, channels)` in the function's layout.

        `library` is NumPy or TensorFlow.
        """
        if self.layout == "nchw":
            return library.transpose(pixels, (0, 3, 1, 2))
        if self.layout == "nhw":
            return library.reshape(pixels, (-1, self.height, self.width))
        if self.layout == "flat":
            return library.reshape(pixels, (-1, self.height * self.width * self.channels))
        return pixels


def takes_files(function: Function) -> bool:
    """Return whether the function takes encoded pictures (strings) and no pixels."""
    strings = [spec for spec in function.inputs if spec.dtype == "string"]
    return bool(strings) and not any(_is_picture(spec) for spec in function.inputs)


def picture_input(
    function: Function, size: tuple[int, int] | None, channels: int | None
) -> PictureInput:
    """Return how `function` takes pictures; `size` (height, width) and `channels` as users say.

    Raises `UsageError` if it takes none or several, or if what it says and what users say differ.
    """
    pictures = [spec for spec in function.inputs if _is_picture(spec)]
    if len(pictures) > 1:
        large = [spec for spec in pictures if spec.shape is None or len(spec.shape) > 2]
        pictures = large or pictures
    described = ", ".join(map(str, function.inputs))
    if len(pictures) != 1:
        raise UsageError(
            f"{function.name} takes {described}: {len(pictures) or 'none'} of these "
            f"{'is a batch' if not pictures else 'are batches'} of pictures such as float32 "
            "(None, 224, 224, 3); choose another function with `--signature`, or export a model "
            "of one picture"
        )
    (spec,) = pictures
    others = tuple(_other(each, function) for each in function.inputs if each is not spec)
    layout, has_batch, batch, sides, depth = _axes(spec, channels)
    if batch not in {None, 1}:
        raise UsageError(
            f"{function.name} takes exactly {batch} pictures at a time ({spec}); export the model "
            "with a batch size of None or 1"
        )
    if channels is not None and channels != depth:
        raise UsageError(
            f"`--channels {'grey' if channels == 1 else 'rgb'}` contradicts {function.name}, "
            f"which takes {depth} channel{'s' if depth > 1 else ''} ({spec}); leave the option out"
        )
    height, width = _size(function, spec, sides, size)
    return PictureInput(spec, layout, height, width, depth, has_batch, batch == 1, others)


def filled(source: PictureInput, arranged: Any, make: Callable[[Any], Any]) -> dict[str, Any]:
    """Return all inputs for the `arranged` pictures; `make` turns a constant into a tensor."""
    return {source.spec.name: arranged, **{key: make(value) for key, value in source.others}}


def _is_picture(spec: TensorSpec) -> bool:
    if spec.dtype not in (*FLOATS, *INTEGERS):
        return False
    if spec.shape is None:
        return True
    sides = [side for side in spec.shape if side is None or side > 1]
    if len(spec.shape) <= 2 and None not in spec.shape[-1:] and len(sides) < 3:
        return math.prod(side or 1 for side in sides) >= _LEAST_VALUES
    return len(sides) >= 2


def _axes(
    spec: TensorSpec, channels: int | None
) -> tuple[Layout, bool, int | None, tuple[int | None, ...], int]:
    """Return layout, whether there is an axis of pictures, its length, height and width, channels.

    A flat layout has the number of values in place of height and width.
    """
    shape = spec.shape
    depths = _CHANNELS if channels is None else (channels,)
    if shape is None:
        return "nhwc", True, None, (None, None), depths[0]
    if len(shape) == 4:
        return _four_axes(spec, shape, depths)
    if len(shape) == 3:
        return _three_axes(shape, depths)
    if len(shape) == 2 and (shape[0] in {None, 1} and shape[1] is not None):
        return _flat(spec, shape[1], has_batch=True, batch=shape[0], channels=channels)
    if len(shape) == 2:
        return "nhw", False, None, shape, 1
    if len(shape) == 1 and shape[0] is not None:
        return _flat(spec, shape[0], has_batch=False, batch=None, channels=channels)
    raise UsageError(
        f"the input {spec} has {len(shape)} axes; a batch of pictures has four: export a model of "
        "single pictures, float32 of (None, height, width, 3)"
    )


def _four_axes(
    spec: TensorSpec, shape: Shape, depths: tuple[int, ...]
) -> tuple[Layout, bool, int | None, tuple[int | None, ...], int]:
    batch, first, _, last = shape
    if last in _CHANNELS and not (last == 1 and first == 3):
        return "nhwc", True, batch, shape[1:3], int(last or 0)
    if first in _CHANNELS:
        return "nchw", True, batch, shape[2:], int(first or 0)
    if last is None:
        return "nhwc", True, batch, shape[1:3], depths[0]
    raise UsageError(
        f"the input {spec} has {last} channels; pictures have 3 (RGB, BGR) or 1 (grey): export a "
        "model of these"
    )


def _three_axes(
    shape: Shape, depths: tuple[int, ...]
) -> tuple[Layout, bool, int | None, tuple[int | None, ...], int]:
    first, second, last = shape
    if last in _CHANNELS:
        return "nhwc", False, None, (first, second), int(last or 0)
    if first == 3 and last != 3:
        return "nchw", False, None, (second, last), 3
    if first is None and second is None and last is None and depths == (3,):
        return "nhwc", False, None, (None, None), 3
    return "nhw", True, first, (second, last), 1


def _flat(
    spec: TensorSpec, length: int, *, has_batch: bool, batch: int | None, channels: int | None
) -> tuple[Layout, bool, int | None, tuple[int | None, ...], int]:
    depths = _CHANNELS[::-1] if channels is None else (channels,)
    for depth in depths:
        side = math.isqrt(length // depth)
        if side * side * depth == length:
            return "flat", has_batch, batch, (side, side), depth
    if channels is not None and length % channels == 0:
        return "flat", has_batch, batch, (None, None), channels
    raise UsageError(
        f"the input {spec} has {length} values, which is no square picture of 1 or 3 channels; "
        "give `--size WxH` and `--channels`, or export a model of pictures"
    )


def _size(
    function: Function, spec: TensorSpec, sides: tuple[int | None, ...], wanted: Any
) -> tuple[int, int]:
    height, width = sides
    if wanted is None:
        if height is None or width is None:
            raise UsageError(
                f"{function.name} takes pictures of any size ({spec}); give the size that the "
                "network was trained on with `--size WxH`"
            )
        return height, width
    if (height or wanted[0], width or wanted[1]) != wanted:
        raise UsageError(
            f"`--size {wanted[1]}x{wanted[0]}` contradicts {function.name}, which takes "
            f"{width or 'any'}x{height or 'any'} (width x height); leave the option out"
        )
    return wanted[0], wanted[1]


def _other(spec: TensorSpec, function: Function) -> tuple[str, Any]:
    """Return the name and the value of an input that is no picture."""
    name = spec.name.lower()
    if spec.dtype == "bool":
        return spec.name, np.zeros([1] * len(spec.shape or ()), np.bool_)
    size = math.prod(side or 1 for side in spec.shape or ())
    if spec.dtype == "string" and size == 1:
        return spec.name, np.full([1] * len(spec.shape or ()), b"", object)
    if size == 1 and any(part in name for part in _KEEP_NAMES):
        return spec.name, np.ones([1] * len(spec.shape or ()), spec.dtype)
    if size == 1 and any(part in name for part in (*_FALSE_NAMES, "drop")):
        return spec.name, np.zeros([1] * len(spec.shape or ()), spec.dtype)
    raise UsageError(
        f"{function.name} takes {spec} beside the picture, and seefood does not know what to give "
        "it; choose another function with `--signature`, or export a model of one picture"
    )
