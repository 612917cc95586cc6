"""Fractal noise: grain of wood, crumb of bread, clouds."""

from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.floating[Any]]
"""Shape `(rows, columns)`; float32 wherever it is large."""

_TILE_BITS: Final = 9
_TILE: Final = 1 << _TILE_BITS
_TEXELS_PER_UNIT: Final = 420.0


def sample_noise(
    u: Plane, v: Plane, scale: float, roughness: float, rng: np.random.Generator
) -> Plane:
    """Return noise of mean 0 and deviation 1 at (u, v), from a place that `rng` chooses."""
    tile = _noise_tile(roughness)
    offset = rng.integers(0, _TILE, 2)
    texels = np.float32(_TEXELS_PER_UNIT / scale)
    columns = (u * texels).astype(np.int32) + int(offset[0])
    rows = (v * texels).astype(np.int32) + int(offset[1])
    return tile.take(((rows & (_TILE - 1)) << _TILE_BITS) | (columns & (_TILE - 1)))


@lru_cache(maxsize=8)
def _noise_tile(roughness: float) -> Plane:
    """Return tileable fractal noise of mean 0 and deviation 1, of shape `(512, 512)`."""
    white = np.random.default_rng(1990).standard_normal((_TILE, _TILE)).astype(np.float32)
    down = np.fft.fftfreq(_TILE)[:, None] * _TILE
    along = np.fft.rfftfreq(_TILE)[None, :] * _TILE
    frequency = np.hypot(down, along)
    frequency[0, 0] = np.inf
    # A low cut keeps one tile from being one hill; a high one hides single texels.
    shape = (frequency + 2) ** (-1.0 - roughness) * np.exp(-((frequency / 150) ** 2))
    shape[0, 0] = 0
    tile = np.fft.irfft2(np.fft.rfft2(white) * shape, s=(_TILE, _TILE))
    even: Plane = (tile / tile.std()).astype(np.float32)
    return even
