"""A 64-bit perceptual hash: pictures that look alike have hashes that differ in few bits.

It is the DCT hash of pHash (Zauner 2010, "Implementation and Benchmarking of Perceptual Image Hash
Functions", section 3.2.1): for each of the 8 x 8 lowest frequencies of the grey values, without the
constant ones, whether its cosine coefficient is above the median of them all. pHash first resizes
to 32 x 32 pixels; here the transform is taken of the network's pixels, which exist anyway.
Resizing, recompression and brightness change few bits. Two machines whose decoders differ by a
level of 255 may differ in a bit or two.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seefood.imaging.resize import Pixels

BITS: Final = 64
_KEPT: Final = 8
_ENOUGH: Final = 96
"""Rows: of a larger picture some are left out, because frequencies up to 8 need no more."""
_CONTRAST: Final = 0.1
"""Of the strongest frequency's amplitude, in grey levels; a picture of one color is below it."""
_ONE_THREAD: Final = 4 * 65536
"""Multiplications up to which OpenBLAS uses one thread (its `SMP_THRESHOLD_MIN` times
`GEMM_MULTITHREAD_THRESHOLD`)."""
_LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)
"""ITU-R BT.601, as Pillow converts RGB to L."""


def perceptual_hash(pixels: Pixels) -> str | None:
    """Return the hash of a whole upright picture as 16 hexadecimal digits.

    `pixels` is uint8 in [0, 255], RGB or grey of shape `(height, width, channels)`, of any aspect
    ratio and size. Returns None for a picture of one color, whose hash would say nothing.
    """
    pixels = pixels[:: max(1, len(pixels) // _ENOUGH)]
    height, width, channels = pixels.shape
    rows = _product(_cosines(height), pixels.reshape(height, -1).astype(np.float32))
    grey = rows if channels == 1 else rows.reshape(_KEPT, width, channels) @ _LUMA
    amplitudes = (grey @ _cosines(width).T).ravel()
    if np.abs(amplitudes).max() < _CONTRAST:
        return None
    middle = np.partition(amplitudes, BITS // 2 - 1)[BITS // 2 - 1]
    return np.packbits(amplitudes > middle).tobytes().hex()


def _product(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `left @ right`, computed in this thread alone.

    Several threads decode at once; OpenBLAS would start others for each product, which costs more
    than the product itself.
    """
    width = max(1, _ONE_THREAD // left.size)
    blocks = [left @ right[:, at : at + width] for at in range(0, right.shape[1], width)]
    return np.concatenate(blocks, axis=1)


@cache
def _cosines(size: int) -> NDArray[np.float32]:
    """Return the DCT-II of frequencies 1 to 8, scaled to amplitudes, of shape `(8, size)`."""
    angles = np.outer(np.arange(1, _KEPT + 1), 2 * np.arange(size) + 1) * (np.pi / (2 * size))
    return np.asarray(np.cos(angles) * (2 / size), np.float32)
