"""`tf.image.resize(method="bilinear", antialias=False)` in NumPy, rounded to whole levels.

Each result is a weighted mean of the four pixels around its place, in float32 as TensorFlow's
kernel `ResizeBilinear` computes it with half-pixel centers. What most Keras tutorials train on
(`image_dataset_from_directory`, layers.Resizing) and close to OpenCV's INTER_LINEAR. Only the rows
and columns that are needed are read from the picture, in strips, so large pictures need no copy.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_STRIP_PIXELS: Final = 1 << 20
_Indices = NDArray[np.intp]
_Weights = NDArray[np.float32]


def resize_bilinear(
    image: Image.Image, size: tuple[int, int], box: tuple[int, int, int, int] | None = None
) -> NDArray[np.uint8]:
    """Return `box` (left, top, right, bottom) of an RGB or L image, resized to (width, height).

    The result is uint8 in [0, 255] of shape `(height, width, channels)`.
    """
    left, top, right, bottom = box or (0, 0, *image.size)
    x_low, x_high, x_weight = _neighbors(right - left, size[0])
    y_low, y_high, y_weight = _neighbors(bottom - top, size[1])
    channels = len(image.getbands())
    columns = np.concatenate([x_low, x_high]) + left
    rows = np.concatenate([y_low, y_high]) + top
    corners = _gather(image, rows, columns, channels)
    across = corners[:, : size[0]]
    across += (corners[:, size[0] :] - across) * x_weight[:, np.newaxis]
    down = across[: size[1]]
    down += (across[size[1] :] - down) * y_weight[:, np.newaxis, np.newaxis]
    return np.clip(np.rint(down), 0, 255).astype(np.uint8)


def _neighbors(stored: int, wanted: int) -> tuple[_Indices, _Indices, _Weights]:
    """Return, for each result, the pixel before its place, the one after it, and its weight."""
    scale = np.float32(stored) / np.float32(wanted)
    place = (np.arange(wanted, dtype=np.float32) + np.float32(0.5)) * scale - np.float32(0.5)
    before = np.floor(place)
    high = np.minimum(np.ceil(place), stored - 1).astype(np.intp)
    low = np.minimum(np.maximum(before, 0).astype(np.intp), high)
    return low, high, place - before


def _gather(
    image: Image.Image, rows: _Indices, columns: _Indices, channels: int
) -> NDArray[np.float32]:
    """Return the pixels where `rows` and `columns` cross, float32."""
    result = np.empty((len(rows), len(columns), channels), np.float32)
    height = max(1, _STRIP_PIXELS // image.width)
    for first in range(0, image.height, height):
        last = min(image.height, first + height)
        inside = np.flatnonzero((rows >= first) & (rows < last))
        if inside.size:
            strip = np.asarray(image.crop((0, first, image.width, last)))
            strip = strip.reshape(last - first, image.width, channels)
            result[inside] = strip[rows[inside] - first][:, columns]
    return result
