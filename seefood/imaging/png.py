"""Opens PNGs. Pillow decodes them; transparent colors of other depths than 8 bits are applied here.

Pillow compares such a color, which tRNS states in the picture's own depth, with samples that it has
scaled to 8 bits.
"""

from functools import partial
from io import BytesIO
from typing import Any, Final

import numpy as np
from PIL import Image

from seefood.errors import ErrorCode, PictureError
from seefood.imaging.lazy_image import LazyImage

_GREY, _RGB = 0, 2
_BYTES_PER_PIXEL: Final = 24
_STRIP_PIXELS: Final = 1 << 18


def open_png(data: bytes) -> Image.Image:
    """Open the PNG in `data` without decoding pixels.

    Raises `PictureError` for Apple's variant of the format, and what Pillow raises.
    """
    if data[12:16] == b"CgBI":
        raise PictureError(
            ErrorCode.UNSUPPORTED_FORMAT,
            "Apple's CgBI variant of PNG is not decoded; convert it to PNG",
        )
    image = _open(data)
    depth, color = data[24], data[25]
    stated = image.info.get("transparency")
    if depth == 8 or color not in (_GREY, _RGB) or stated is None:
        return image
    if depth < 8:
        image.info["transparency"] = stated * 255 // ((1 << depth) - 1)
        return image
    size, work_bytes = image.size, _BYTES_PER_PIXEL * image.width * image.height
    orientation = int(image.getexif().get(0x0112, 1)) if "exif" in image.info else 1
    return LazyImage("RGB", size, partial(_read_wide, data, stated), work_bytes, orientation)


def _open(data: bytes) -> Image.Image:
    return Image.OPEN["PNG"][0](BytesIO(data), "")


def _read_wide(data: bytes, stated: int | tuple[int, int, int]) -> Image.Image:
    """Return a picture of 16-bit samples as RGB, with the color `stated` on white."""
    high, low = _open(data), _open(data)
    if high.mode == "RGB":
        # The same bytes, read as if the low ones came last.
        low.tile = [tile._replace(args="RGB;16L") for tile in low.tile]  # type: ignore[attr-defined]
        low.load()
    high.load()
    picture = Image.new("RGB", high.size)
    rows = max(1, _STRIP_PIXELS // high.width)
    for top in range(0, high.height, rows):
        box = (0, top, high.width, min(high.height, top + rows))
        samples: np.ndarray[Any, Any] = np.asarray(high.crop(box))
        if high.mode == "RGB":
            wide = samples.astype(np.uint16) << 8 | np.asarray(low.crop(box))
            is_clear = (wide == np.array(stated)).all(axis=2)
            pixels = samples.copy()
        else:
            is_clear = samples == stated
            pixels = (samples >> 8).astype(np.uint8)[..., None].repeat(3, axis=2)
        pixels[is_clear] = 255
        picture.paste(Image.fromarray(pixels), (0, top))
    return picture
