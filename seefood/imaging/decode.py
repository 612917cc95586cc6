"""Decodes a picture to upright RGB or grey of the network's input size.

Training, evaluation, batch jobs and the Lambda all call `decode`, so their preprocessing is the
same. The header is checked against the limits before any pixel is decoded. A JPEG much larger than
the network's input is decoded at a fraction of its size (libjpeg's scaled IDCT), if the resize is
antialiased. Orientation is applied after the resize, when fewer pixels are left to turn; before it
for `nearest`, which is not symmetric. Of an animation the first frame is decoded.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Final, TypeVar

import numpy as np
from PIL import Image

from seefood.errors import ErrorCode, PictureError
from seefood.imaging.color import to_rgb
from seefood.imaging.exif_time import taken_at
from seefood.imaging.fit import covered_size, fit_scale, resize_to_fit
from seefood.imaging.formats import open_image
from seefood.imaging.jpeg import END_OF_IMAGE, endings
from seefood.imaging.limits import DEFAULT_LIMITS, Limits
from seefood.imaging.memory_budget import MemoryBudget
from seefood.imaging.memory_estimate import decode_bytes, has_more_frames
from seefood.imaging.metadata import without_metadata
from seefood.imaging.perceptual_hash import perceptual_hash
from seefood.imaging.resize import Pixels, resample
from seefood.imaging.resize_rule import ResizeRule
from seefood.imaging.signatures import sniff_format
from seefood.imaging.undecodable import undecodable

__all__ = [
    "DEFAULT_LIMITS",
    "DecodedImage",
    "Limits",
    "Pixels",
    "ResizeRule",
    "decode",
    "open_upright",
    "shrink",
]

_EXIF_ORIENTATION: Final = 0x0112
# EXIF 2.32, section 4.6.4: the transpose that makes a stored picture upright.
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SWAPS_SIDES: Final = frozenset({_UPRIGHT[5], _UPRIGHT[6], _UPRIGHT[7], _UPRIGHT[8]})
# Below this, memory is not accounted for: it is not worth the lock.
_SMALL_BYTES: Final = 4 * 1024 * 1024
_HASHED_SIZE: Final = (64, 64)
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """A picture ready for the network."""

    pixels: Pixels
    """Of the shape `rule.shape`, uint8 in [0, 255]."""
    width: int
    """Of the upright original, in pixels."""
    height: int
    format: str
    phash: str | None = None
    """See `seefood.imaging.perceptual_hash`."""
    taken_at: datetime | None = None
    """See `seefood.imaging.exif_time`."""
    damage: str | None = None
    """What is wrong with a picture of which only a part was decoded; None for a whole one."""


def decode(
    data: bytes,
    rule: ResizeRule,
    limits: Limits = DEFAULT_LIMITS,
    *,
    salvage: bool = False,
    exact: bool = False,
) -> DecodedImage:
    """Return the picture in `data`, upright, RGB or grey, resized by `rule`.

    With `salvage` a truncated JPEG is decoded as far as it goes, with the rest in one color and
    `damage` set. With `exact` the pixels are the same on every machine; without it they may differ
    by up to two levels of 255 (`seefood.imaging.resize`). Raises `PictureError` for a picture that
    cannot be decoded, and nothing else.
    """
    try:
        return _cured(data, lambda data: _decode(data, rule, limits, exact=exact))
    except PictureError as error:
        if error.code is not ErrorCode.TRUNCATED or sniff_format(data[:64]) != "JPEG":
            raise
        whole = _decode_to_end(data, rule, limits, exact=exact)
        if whole is not None:
            return whole
        if not salvage:
            raise
        try:  # with an end marker, libjpeg fills in the missing part
            salvaged = _decode(data + END_OF_IMAGE, rule, limits, exact=exact)
        except PictureError:
            raise error from None
        return replace(salvaged, damage=str(error))


def _cured(data: bytes, work: Callable[[bytes], _Result]) -> _Result:
    """Return `work(data)`; if the data is damaged, try again without what pixels do not need."""
    try:
        return work(data)
    except PictureError as error:
        if error.code not in (ErrorCode.CORRUPT, ErrorCode.TRUNCATED):
            raise
        bare = without_metadata(data, sniff_format(data[:64]))
        if bare is None:
            raise
        return work(bare)


def _decode_to_end(
    data: bytes, rule: ResizeRule, limits: Limits, *, exact: bool
) -> DecodedImage | None:
    """Return the picture of a JPEG that lacks only its end marker; None for one that is cut."""
    data = without_metadata(data, "JPEG") or data
    both = endings(data)
    if both is None:
        return None
    try:
        first, second = (_decode(each, rule, limits, exact=exact) for each in both)
    except PictureError:
        return None
    return first if np.array_equal(first.pixels, second.pixels) else None


def _decode(data: bytes, rule: ResizeRule, limits: Limits, *, exact: bool) -> DecodedImage:
    with _decoding(data, limits) as (image, format_name):
        stored = image.size
        if rule.draft_margin is not None and format_name == "JPEG":
            _draft(image, rule, _target(rule, exif_transpose(image)), rule.draft_margin)
        with _reserved_memory(image, format_name, data, stored, limits):
            image.load()
            colors = to_rgb(image)
            if rule.channels == "grey":
                colors = colors.convert("L")
            # Only now: a PNG's EXIF is read while decoding, and Pillow transposes TIFFs itself.
            transpose = exif_transpose(image)
            small = None if _shows_all(rule) else _reduced(colors, transpose)
            width, height = stored[::-1] if transpose in _SWAPS_SIDES else stored
            if transpose is not None and rule.filter == "nearest":
                colors, transpose = colors.transpose(transpose), None
            pixels = resize_to_fit(colors, _target(rule, transpose), rule, exact=exact)
        if transpose is not None:
            pixels = np.asarray(_image(pixels).transpose(transpose)).reshape(rule.shape)
        phash = perceptual_hash(pixels if small is None else small)
        return DecodedImage(pixels, width, height, format_name, phash, taken_at(image))


def _shows_all(rule: ResizeRule) -> bool:
    """Whether the network's pixels are means over the whole picture."""
    return rule.fit == "stretch" and rule.filter in {"bilinear", "bicubic", "lanczos"}


def _reduced(image: Image.Image, transpose: Image.Transpose | None) -> Pixels:
    """Return all of an RGB or L `image`, upright, as the perceptual hash takes it."""
    box = Image.Resampling.BOX
    small = image.resize(_HASHED_SIZE, box, reducing_gap=1.0).convert("L")
    return np.asarray(small if transpose is None else small.transpose(transpose))[..., np.newaxis]


def open_upright(
    data: bytes, longest_side: int | None = None, limits: Limits = DEFAULT_LIMITS
) -> Image.Image:
    """Return the picture in `data` as an upright RGB image, for display.

    `longest_side` limits the larger of width and height in pixels, keeping the aspect ratio.
    A truncated JPEG is shown as far as it goes. Raises `PictureError`.
    """
    try:
        return _cured(data, lambda data: _open_upright(data, longest_side, limits))
    except PictureError as error:
        if error.code is not ErrorCode.TRUNCATED or sniff_format(data[:64]) != "JPEG":
            raise
        return _cured(data + END_OF_IMAGE, lambda data: _open_upright(data, longest_side, limits))


def _open_upright(data: bytes, longest_side: int | None, limits: Limits) -> Image.Image:
    with _decoding(data, limits) as (image, format_name):
        stored = image.size
        if longest_side is not None:
            image.draft("RGB", (longest_side, longest_side))
        with _reserved_memory(image, format_name, data, stored, limits):
            image.load()
            rgb = to_rgb(image)
            transpose = exif_transpose(image)
            if longest_side is not None:
                rgb.thumbnail((longest_side, longest_side), Image.Resampling.BICUBIC)
            return rgb if transpose is None else rgb.transpose(transpose)


def shrink(pixels: Pixels, rule: ResizeRule) -> Pixels:
    """Resize the pixels that `decode` made for one network to the input size of another.

    `pixels` and the result are uint8 of shape `(height, width, channels)`, with the fit of `rule`.
    """
    if pixels.shape[:2] == (rule.height, rule.width):
        return pixels
    return resample(_image(pixels), (rule.width, rule.height), rule.filter)


def _image(pixels: Pixels) -> Image.Image:
    """Return the image of `pixels`, of shape `(height, width, 3)` or `(height, width, 1)`."""
    return Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0])


@contextmanager
def _decoding(data: bytes, limits: Limits) -> Iterator[tuple[Image.Image, str]]:
    """Open `data`, check its header, and turn every exception into a `PictureError`."""
    if not data:
        raise PictureError(ErrorCode.EMPTY, "the object has no bytes")
    if len(data) > limits.max_bytes:
        raise PictureError(
            ErrorCode.TOO_LARGE,
            f"{len(data):,} bytes are more than the limit of {limits.max_bytes:,}",
        )
    try:
        image, format_name = open_image(data)
        with image:
            pixels = image.width * image.height
            if pixels > limits.max_pixels:
                raise _too_many_pixels(image, limits.max_pixels)
            if pixels == 0:
                raise PictureError(ErrorCode.CORRUPT, f"a {format_name} of no width or no height")
            if has_more_frames(image, format_name, data, limits.max_frames):
                raise PictureError(
                    ErrorCode.TOO_MANY_FRAMES,
                    f"a {format_name} of more frames than the limit of {limits.max_frames:,}",
                )
            yield image, format_name
    except PictureError:
        raise
    except Image.DecompressionBombError as error:  # a frame is larger than stated in the header
        raise PictureError(ErrorCode.TOO_MANY_PIXELS, str(error)) from error
    except MemoryError as error:
        raise PictureError(
            ErrorCode.OUT_OF_MEMORY, "there was not enough memory to decode it"
        ) from error
    except Exception as error:  # decoders raise anything: SyntaxError, struct.error, KeyError, ...
        raise undecodable(error, data) from error


def _too_many_pixels(image: Image.Image, limit: int) -> PictureError:
    return PictureError(
        ErrorCode.TOO_MANY_PIXELS,
        f"{image.width} x {image.height} pixels are more than the limit of {limit:,}",
    )


def exif_transpose(image: Image.Image) -> Image.Transpose | None:
    """Return the transpose that makes `image` upright; None if its EXIF does not state one."""
    try:
        return _UPRIGHT.get(int(image.getexif().get(_EXIF_ORIENTATION, 1)))
    except Exception:  # noqa: BLE001 (damaged EXIF raises anything; the pixels may be intact)
        return None


def _target(rule: ResizeRule, transpose: Image.Transpose | None) -> tuple[int, int]:
    """Return the (width, height) to resize to before `transpose` is applied."""
    if transpose in _SWAPS_SIDES:
        return rule.height, rule.width
    return rule.width, rule.height


def _draft(image: Image.Image, rule: ResizeRule, target: tuple[int, int], margin: float) -> None:
    """Let libjpeg decode at a fraction that is still `margin` times the size of `target`."""
    scale = fit_scale(image.size, covered_size(rule, target), rule.fit)
    min_width = max(1, round(image.width * scale[0] * margin))
    min_height = max(1, round(image.height * scale[1] * margin))
    image.draft(None, (min_width, min_height))


@contextmanager
def _reserved_memory(
    image: Image.Image, format_name: str, data: bytes, stored: tuple[int, int], limits: Limits
) -> Iterator[None]:
    """Reserve the memory for decoding `image` while the block runs; wait until it is free."""
    if image.width * image.height > limits.max_decoded_pixels:
        raise _too_many_pixels(image, limits.max_decoded_pixels)
    needed = decode_bytes(image, format_name, data, stored)
    if needed > limits.max_decode_bytes:
        raise PictureError(
            ErrorCode.TOO_MANY_PIXELS,
            f"{stored[0]} x {stored[1]} pixels of {format_name} take about {needed:,} bytes to "
            f"decode, more than the limit of {limits.max_decode_bytes:,}",
        )
    if needed < _SMALL_BYTES:
        yield
    else:
        with _memory_budget(limits.max_decode_bytes).reserve(needed):
            yield


@cache
def _memory_budget(limit: int) -> MemoryBudget:
    """Return the budget that all threads of this process share."""
    return MemoryBudget(limit)
