"""Converts decoded pictures of any mode to 8-bit RGB.

16-bit samples keep their high byte, transparent pixels are put on white, and CMYK is converted
without its ICC profile. Conversions with intermediate copies work in strips of rows to save memory.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from PIL import Image

_WHITE: Final = (255, 255, 255)
_STRIP_PIXELS: Final = 1 << 20


def to_rgb(image: Image.Image) -> Image.Image:
    """Return `image`, which must be loaded, as 8-bit RGB."""
    mode = image.mode
    if mode == "RGB" and "transparency" not in image.info:
        return image
    if mode.startswith("I;16"):
        return _from_wide(image)
    if mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in image.info:
        return _on_white(image)
    return image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    canvas = Image.new("RGB", image.size, _WHITE)
    for top, strip in _strips(image):
        rgba = strip.convert("RGBA")
        canvas.paste(rgba, (0, top), mask=rgba.getchannel("A"))
    return canvas


def _from_wide(image: Image.Image) -> Image.Image:
    """Return a grey image of 16-bit samples as 8-bit RGB."""
    canvas = Image.new("RGB", image.size)
    for top, strip in _strips(image):
        grey = (np.asarray(strip) >> 8).astype(np.uint8)
        canvas.paste(Image.fromarray(grey).convert("RGB"), (0, top))
    return canvas


def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """Yield strips of whole rows of `image`, each with the number of its first row."""
    rows = max(1, _STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(image.height, top + rows)))
