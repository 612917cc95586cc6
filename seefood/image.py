"""Bytes to upright RGB of the network's input size: the one decode of the project.

Training, evaluation, bulk and Lambda call `decode`, so there is no second preprocessing that could
differ. A picture is judged from its header before a pixel is decoded; a JPEG much larger than the
network's input is decoded at a fraction of its size (libjpeg's scaled IDCT); orientation is applied
after the resize, when there is little left to turn.

Colour: 16-bit samples keep their high byte, transparent pixels lie on white, CMYK is converted
without its ICC profile, an animation is its first frame.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from threading import Lock
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seefood.errors import ErrorCode, PictureError
from seefood.formats import open_image, sniff_format

Fit = Literal["stretch", "crop", "pad"]
Filter = Literal["box", "bilinear", "bicubic", "lanczos"]
Pixels = NDArray[np.uint8]

_RESAMPLING: Final = {
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
_EXIF_ORIENTATION: Final = 0x0112
# EXIF 2.32, section 4.6.4: what brings a stored picture upright.
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
_WHITE: Final = (255, 255, 255)
_BIG_PIXELS: Final = 16_000_000
_one_big_picture = Lock()  # two of the largest at once would double a worker's peak memory


@dataclass(frozen=True, slots=True)
class ResizeRule:
    """How an upright picture becomes the network's input; part of the bundle."""

    height: int
    width: int
    fit: Fit = "stretch"
    """`stretch` fills the input and ignores the aspect ratio; `crop` keeps it and cuts the centre;
    `pad` keeps it and adds black borders."""
    filter: Filter = "bilinear"
    """Antialiased, as Pillow computes it."""
    scaled_decode: float | None = 2.0
    """A JPEG may be decoded at 1/2, 1/4 or 1/8 while it keeps at least this many times the input's
    size on each side; None always decodes in full."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one picture may ask for before it is refused."""

    max_bytes: int = 100 * 1024 * 1024
    max_pixels: int = 250_000_000
    """Width x height as the header states them."""
    max_decoded_pixels: int = 50_000_000
    """Width x height as they would lie in memory, after scaled decoding."""


DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """A picture ready for the network."""

    pixels: Pixels
    """RGB of shape `(rule.height, rule.width, 3)`, uint8 in [0, 255]."""
    width: int
    """Of the upright original, in pixels."""
    height: int
    format: str


def decode(data: bytes, rule: ResizeRule, limits: Limits = DEFAULT_LIMITS) -> DecodedImage:
    """Return the picture in `data`, upright, RGB, resized by `rule`.

    Raises `PictureError` with a code for whatever cannot be decoded; nothing else.
    """
    with _decoding(data, limits) as (image, format_name):
        stored = image.size
        if rule.scaled_decode is not None and format_name == "JPEG":
            _draft(image, rule, _target(rule, _transpose(image)), rule.scaled_decode)
        rgb = _load(image, limits)
        # Only now: Pillow reads a PNG's EXIF by decoding it, and turns a TIFF by itself.
        transpose = _transpose(image)
        width, height = stored[::-1] if transpose in _SWAPS_SIDES else stored
        resized = _resize(rgb, _target(rule, transpose), rule)
        if transpose is not None:
            resized = resized.transpose(transpose)
        return DecodedImage(np.asarray(resized), width, height, format_name)


def open_upright(
    data: bytes, longest_side: int | None = None, limits: Limits = DEFAULT_LIMITS
) -> Image.Image:
    """Return the picture in `data` as an upright RGB image for people to look at.

    `longest_side` bounds the larger of width and height in pixels, keeping the aspect ratio.
    Raises `PictureError`.
    """
    with _decoding(data, limits) as (image, _):
        if longest_side is not None:
            image.draft("RGB", (longest_side, longest_side))
        rgb = _load(image, limits)
        transpose = _transpose(image)
        if longest_side is not None:
            rgb.thumbnail((longest_side, longest_side), Image.Resampling.BICUBIC)
        return rgb if transpose is None else rgb.transpose(transpose)


@contextmanager
def _decoding(data: bytes, limits: Limits) -> Iterator[tuple[Image.Image, str]]:
    """Open `data`, check its header, and turn whatever a decoder raises into a `PictureError`."""
    if not data:
        raise PictureError(ErrorCode.EMPTY, "the object has no bytes")
    if len(data) > limits.max_bytes:
        raise PictureError(
            ErrorCode.TOO_LARGE,
            f"{len(data):,} bytes are more than the limit of {limits.max_bytes:,}",
        )
    try:
        image, format_name = open_image(BytesIO(data), data[:64])
        with image:
            pixels = image.width * image.height
            if pixels > limits.max_pixels:
                raise _too_many_pixels(image, limits.max_pixels)
            if pixels == 0:
                raise PictureError(ErrorCode.CORRUPT, f"a {format_name} of no width or no height")
            yield image, format_name
    except PictureError:
        raise
    except Image.DecompressionBombError as error:  # of a frame larger than its header said
        raise PictureError(ErrorCode.TOO_MANY_PIXELS, str(error)) from error
    except Exception as error:  # decoders raise anything: SyntaxError, struct.error, KeyError, ...
        raise _undecodable(error, sniff_format(data[:64]) or "picture") from error


def _undecodable(error: Exception, format_name: str) -> PictureError:
    text = " ".join(str(error).split())[:200] or type(error).__name__
    causes = (error, error.__cause__)  # Pillow wraps what goes wrong in a header
    truncated = any(isinstance(cause, EOFError | struct.error) for cause in causes) or any(
        words in text.lower() for words in ("truncated", "end of file")
    )
    code = ErrorCode.TRUNCATED if truncated else ErrorCode.CORRUPT
    return PictureError(code, f"damaged {format_name}: {text}")


def _too_many_pixels(image: Image.Image, limit: int) -> PictureError:
    return PictureError(
        ErrorCode.TOO_MANY_PIXELS,
        f"{image.width} x {image.height} pixels are more than the limit of {limit:,}",
    )


def _transpose(image: Image.Image) -> Image.Transpose | None:
    """Return what brings `image` upright by its EXIF; None where nothing says that it must."""
    try:
        return _UPRIGHT.get(int(image.getexif().get(_EXIF_ORIENTATION, 1)))
    except Exception:  # noqa: BLE001 (damaged EXIF raises anything, and the picture is still good)
        return None


def _target(rule: ResizeRule, transpose: Image.Transpose | None) -> tuple[int, int]:
    """Return the (width, height) that a picture must have before it is turned by `transpose`."""
    if transpose in _SWAPS_SIDES:
        return rule.height, rule.width
    return rule.width, rule.height


def _draft(image: Image.Image, rule: ResizeRule, target: tuple[int, int], margin: float) -> None:
    """Let libjpeg decode at a fraction that keeps `margin` times what `target` needs."""
    scale = _scale(image.size, target, rule.fit)
    wanted_width = max(1, round(image.width * scale[0] * margin))
    wanted_height = max(1, round(image.height * scale[1] * margin))
    image.draft(None, (wanted_width, wanted_height))


def _load(image: Image.Image, limits: Limits) -> Image.Image:
    """Return `image` decoded, as RGB."""
    pixels = image.width * image.height
    if pixels > limits.max_decoded_pixels:
        raise _too_many_pixels(image, limits.max_decoded_pixels)
    if pixels > _BIG_PIXELS:
        with _one_big_picture:
            return _to_rgb(image)
    return _to_rgb(image)


def _scale(size: tuple[int, int], target: tuple[int, int], fit: Fit) -> tuple[float, float]:
    """Return the factors (horizontal, vertical) from a picture of `size` to `target`."""
    x, y = target[0] / size[0], target[1] / size[1]
    if fit == "stretch":
        return x, y
    same = max(x, y) if fit == "crop" else min(x, y)
    return same, same


def _resize(image: Image.Image, target: tuple[int, int], rule: ResizeRule) -> Image.Image:
    resampling = _RESAMPLING[rule.filter]
    if rule.fit == "pad":
        x, y = _scale(image.size, target, rule.fit)
        inner = (
            min(target[0], max(1, round(image.width * x))),
            min(target[1], max(1, round(image.height * y))),
        )
        canvas = Image.new("RGB", target)
        corner = ((target[0] - inner[0]) // 2, (target[1] - inner[1]) // 2)
        canvas.paste(image.resize(inner, resampling), corner)
        return canvas
    box = (0.0, 0.0, float(image.width), float(image.height))
    if rule.fit == "crop":
        x, y = _scale(image.size, target, rule.fit)
        keep = (target[0] / x, target[1] / y)
        left, top = (image.width - keep[0]) / 2, (image.height - keep[1]) / 2
        # Rounding may leave the box outside by a billionth of a pixel, which Pillow refuses.
        box = (
            max(0.0, left),
            max(0.0, top),
            min(float(image.width), left + keep[0]),
            min(float(image.height), top + keep[1]),
        )
    return image.resize(target, resampling, box=box)


def _to_rgb(image: Image.Image) -> Image.Image:
    """Return `image` as 8-bit RGB."""
    image.load()
    mode = image.mode
    if mode == "RGB" and "transparency" not in image.info:
        return image
    if mode.startswith("I") or mode == "F":
        return _from_wide(image)
    if mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in image.info:
        rgba = image.convert("RGBA")
        canvas = Image.new("RGB", rgba.size, _WHITE)
        canvas.paste(rgba, mask=rgba.getchannel("A"))
        return canvas
    return image.convert("RGB")


def _from_wide(image: Image.Image) -> Image.Image:
    """Return a grey image of 16-bit, 32-bit or float samples as 8-bit RGB.

    Integers are taken as 16-bit, [0, 65535]; floats as [0, 1] if none is above 1, else [0, 255].
    """
    samples = np.asarray(image, dtype=np.float32)
    if image.mode == "F":
        finite = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
        scaled = finite * 255.0 if finite.max(initial=0.0) <= 1.0 else finite
    else:
        scaled = np.floor(samples / 256.0)
    grey = np.clip(scaled, 0.0, 255.0).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")
