"""Makes small pictures with known pixels, and encodes them."""

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from seefood.imaging.decode import Pixels

Colour = tuple[int, int, int]


def encoded(image: Image.Image, format_name: str, **options: Any) -> bytes:
    """Return `image` as the bytes of a file."""
    if format_name == "HEIF":
        from pillow_heif import from_pillow  # noqa: PLC0415 (only HEIC needs it)

        stream = BytesIO()
        from_pillow(image).save(stream, **options)
        return stream.getvalue()
    stream = BytesIO()
    image.save(stream, format_name, **options)
    return stream.getvalue()


def plain(colour: Colour = (200, 30, 30), size: tuple[int, int] = (32, 24)) -> Image.Image:
    """Return a picture of one colour, of `size` (width, height)."""
    return Image.new("RGB", size, colour)


def jpeg(colour: Colour = (200, 30, 30), size: tuple[int, int] = (32, 24)) -> bytes:
    """Return a JPEG of one colour."""
    return encoded(plain(colour, size), "JPEG", quality=95)


def noise(height: int, width: int, seed: int = 0) -> Pixels:
    """Return RGB noise of shape `(height, width, 3)`, without symmetry."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def gradient(size: tuple[int, int]) -> Image.Image:
    """Return a picture that lossy codecs keep: red grows to the right, green downwards."""
    width, height = size
    red = np.linspace(0, 255, width)[None, :].repeat(height, 0)
    green = np.linspace(0, 255, height)[:, None].repeat(width, 1)
    return Image.fromarray(np.stack([red, green, red * 0 + 90], axis=2).astype(np.uint8))
