"""Turns arrays into images for the page: data URIs, color scales, heat maps over photos."""

import base64
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seefood.explain.trace import Values
from seefood.imaging.decode import Pixels

_MAP_SIDE: Final = 112
# Seven stops each of a perceptually uniform scale and of a scale that diverges from white.
_SEQUENTIAL: Final = np.array(
    [(13, 8, 60), (84, 15, 109), (139, 34, 105), (187, 55, 84), (227, 89, 51), (249, 142, 9),
     (252, 225, 120)],
    dtype=np.float32,
)  # fmt: skip
_DIVERGING: Final = np.array(
    [(33, 82, 156), (103, 152, 205), (203, 222, 240), (250, 250, 248), (248, 208, 190),
     (221, 117, 94), (158, 28, 45)],
    dtype=np.float32,
)  # fmt: skip


def data_uri(image: Image.Image) -> str:
    """Return `image` as a PNG in a data URI."""
    stream = BytesIO()
    image.save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def photo_uri(pixels: Pixels) -> str:
    """Return RGB or grey uint8 of shape `(height, width, channels)` as a JPEG in a data URI."""
    stream = BytesIO()
    Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0]).save(
        stream, "JPEG", quality=85
    )
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()


def channel_uri(pixels: Pixels, channel: int) -> str:
    """Return one channel of RGB pixels in its own color."""
    tinted = np.zeros_like(pixels)
    tinted[:, :, channel] = pixels[:, :, channel]
    return photo_uri(tinted)


def colorize(values: Values, limit: float | None = None) -> NDArray[np.uint8]:
    """Return `values` of shape `(height, width)` as colors of shape `(height, width, 3)`.

    If there are negative values, the scale goes from blue over white to red, symmetrically around
    0; otherwise from dark to light. It ends at the absolute value `limit`, by default the largest.
    """
    end = float(np.abs(values).max()) if limit is None else limit
    end = end or 1.0
    diverging = bool(values.min() < 0)
    stops = _DIVERGING if diverging else _SEQUENTIAL
    share = (values / end + 1) / 2 if diverging else values / end
    position = np.clip(share, 0.0, 1.0) * (len(stops) - 1)
    low = np.minimum(position.astype(int), len(stops) - 2)
    part = (position - low)[..., np.newaxis]
    return np.asarray(stops[low] * (1 - part) + stops[low + 1] * part, dtype=np.uint8)


def map_uri(values: Values, limit: float | None = None) -> str:
    """Return a feature map, `(height, width)`, with one pixel per value, at most 112 x 112.

    The page enlarges it without smoothing (`image-rendering: pixelated`).
    """
    image = Image.fromarray(colorize(values, limit))
    image.thumbnail((_MAP_SIDE, _MAP_SIDE), Image.Resampling.BOX)
    return data_uri(image.quantize(64, dither=Image.Dither.NONE))


def kernel_uri(kernel: Values) -> str:
    """Return a first layer's kernel, `(height, width, 3)`, as the colors that it responds to."""
    span = float(np.abs(kernel).max()) or 1.0
    return data_uri(Image.fromarray(np.asarray((kernel / span + 1) * 127.5, dtype=np.uint8)))


def heat_uri(pixels: Pixels, heat: Values) -> str:
    """Return the photo overlaid with `heat`, of any shape `(height, width)`.

    Only positive values are colored: the larger, the more opaque.
    """
    height, width, _ = pixels.shape
    positive = np.maximum(heat, 0.0)
    smooth = Image.fromarray(positive).resize((width, height), Image.Resampling.BICUBIC)
    strength = np.clip(np.asarray(smooth, dtype=np.float32), 0.0, None)
    strength /= float(strength.max()) or 1.0
    alpha = (0.75 * strength)[..., np.newaxis]
    dimmed = pixels * np.float32(0.55) + np.float32(40)
    mixed = dimmed * (1 - alpha) + colorize(strength, 1.0) * alpha
    return photo_uri(np.asarray(np.clip(mixed, 0, 255), dtype=np.uint8))
