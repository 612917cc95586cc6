"""Opens JPEGs, and tells whether one that ends without its end marker is whole."""

from io import BytesIO
from random import Random
from typing import Final

from PIL import Image

from seefood.errors import ErrorCode, PictureError
from seefood.imaging.jpeg_markers import is_arithmetic, is_complete

END_OF_IMAGE: Final = b"\xff\xd9"


def open_jpeg(data: bytes) -> Image.Image:
    """Open the JPEG in `data` without decoding pixels.

    Raises `PictureError` for CMYK whose polarity is not stated, and what Pillow raises.
    """
    image = Image.OPEN["JPEG"][0](BytesIO(data), "")
    if image.mode == "CMYK" and "adobe_transform" not in image.info:
        raise PictureError(
            ErrorCode.UNSUPPORTED_FORMAT,
            "a CMYK JPEG without Adobe's marker does not state whether its inks are inverted; "
            "convert it to RGB",
        )
    if is_arithmetic(data):
        # libjpeg's decoder of arithmetic codes cannot wait for more data, so it gets all at once.
        image.decodermaxblock = len(data) + 1
    return image


def endings(data: bytes) -> tuple[bytes, bytes] | None:
    """Return `data`, a JPEG without its end marker, with two different ends; None if it is cut.

    If the entropy-coded data is whole, both decode to the same pixels: the decoder has every
    coefficient before it comes to the added bytes. If some is missing, the first is decoded with
    zeros in its place, and the second with noise.
    """
    if not is_complete(data):
        return None
    stem = data.rstrip(b"\0").removesuffix(b"\xff")
    return stem + END_OF_IMAGE, stem + _noise() + END_OF_IMAGE


def _noise() -> bytes:
    """Return entropy-coded data for several restart intervals."""
    random = Random(1)
    parts = []
    for number in range(24):
        parts.append(random.randbytes(256).replace(b"\xff", b"\xa5"))
        parts.append(bytes((0xFF, 0xD0 + number % 8)))
    return b"".join(parts)
