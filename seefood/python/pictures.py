"""Turns what Python programs hold as pictures into the bytes of a picture's file."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from seefood.errors import ErrorCode, PictureError, UsageError
from seefood.imaging.decode import exif_transpose
from seefood.records import ImageRef
from seefood.storage import open_store
from seefood.storage.uris import parse_location

_CHANNELS = (1, 3, 4)
_PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I;16B")
_ALPHA_MODES = ("La", "PA", "RGBa")
_MODES_OF_ANY_RANGE = ("I", "F")


def picture_bytes(picture: Any) -> bytes:
    """Return the bytes of `picture`, as its file has them.

    `picture` is `bytes`; a path or URI; a PIL image; or an array of uint8 in [0, 255], of shape
    `(height, width)`, `(height, width, 1)`, `(height, width, 3)` in RGB order or
    `(height, width, 4)` in RGBA order. Images and arrays become an uncompressed PNG, turned as the
    image's EXIF states. Raises `UsageError` for anything else, `PictureError` for an image whose
    data is damaged, or that the store does not have.
    """
    if isinstance(picture, (bytes, bytearray, memoryview)):
        return bytes(picture)
    if isinstance(picture, (str, Path)):
        return _read(str(picture))
    return _png(picture if isinstance(picture, Image.Image) else _image(picture))


def _png(image: Image.Image) -> bytes:
    if image.mode in _MODES_OF_ANY_RANGE:
        raise UsageError(
            f"the image has the mode {image.mode}, whose values have no known range; give an array "
            "of uint8 in [0, 255]"
        )
    try:
        image.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise PictureError(ErrorCode.CORRUPT, f"the image cannot be decoded: {error}") from error
    transpose = exif_transpose(image)  # a PNG that Pillow writes has no EXIF
    if image.mode not in _PNG_MODES:
        image = image.convert("RGBA" if image.mode in _ALPHA_MODES else "RGB")
    if transpose is not None:
        image = image.transpose(transpose)
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=0)
    return stream.getvalue()


def _read(name: str) -> bytes:
    location = parse_location(name)
    if location.is_local and os.path.isdir(location.key):  # noqa: PTH112 (any name: raises nothing)
        raise UsageError(f"{name} is a folder; use `seefood.classify` for its pictures")
    return open_store(location.root).fetch(ImageRef(location.uri))


def _image(array: Any) -> Image.Image:
    if not isinstance(array, np.ndarray):
        raise UsageError(
            f"a {type(array).__name__} is no picture; give bytes, a path, a PIL image or an array "
            "of uint8"
        )
    if array.dtype != np.uint8:
        raise UsageError(
            f"the array has the dtype {array.dtype}; a picture is an array of uint8 in [0, 255]"
        )
    if array.ndim == 2:
        array = array[:, :, np.newaxis]
    if array.ndim != 3 or array.shape[2] not in _CHANNELS:
        raise UsageError(
            f"the array has the shape {array.shape}; a picture has (height, width), or "
            "(height, width, channels) with 1, 3 (RGB) or 4 (RGBA) channels"
        )
    if not array.size:
        raise PictureError(ErrorCode.EMPTY, f"the array has the shape {array.shape}: no pixels")
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)
