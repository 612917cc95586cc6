"""Fractal noise: the grain of wood, the crumb of bread, clouds."""

from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.floating[Any]]
"""One value a pixel, of shape `(rows, columns)`; float32 wherever it is large."""

_SIDE: Final = 512
_TEXELS_PER_UNIT: Final = 420.0


def sample_noise(
    u: Plane, v: Plane, scale: float, roughness: float, rng: np.random.Generator
) -> Plane:
    """Return noise of mean 0 and deviation 1 at (u, v), from an offset that `rng` chooses."""
    left, top = rng.integers(0, _SIDE, 2)
    texels = np.float32(_TEXELS_PER_UNIT / scale)
    columns = ((u * texels).astype(np.int32) + int(left)) % _SIDE
    rows = ((v * texels).astype(np.int32) + int(top)) % _SIDE
    return _noise_tile(roughness)[rows, columns]


@lru_cache(maxsize=16)  # the drawings use 11 roughnesses, of 1 MiB each
def _noise_tile(roughness: float) -> Plane:
    """Return tileable fractal noise of mean 0 and deviation 1, of shape `(512, 512)`."""
    white = np.random.default_rng(1990).standard_normal((_SIDE, _SIDE)).astype(np.float32)
    down = np.fft.fftfreq(_SIDE)[:, None] * _SIDE
    across = np.fft.rfftfreq(_SIDE)[None, :] * _SIDE
    frequency = np.hypot(down, across)
    frequency[0, 0] = np.inf  # no constant part
    # The + 2 limits features as large as the tile; the second factor removes single texels.
    spectrum = (frequency + 2) ** (-1.0 - roughness) * np.exp(-((frequency / 150) ** 2))
    tile = np.fft.irfft2(np.fft.rfft2(white) * spectrum, s=(_SIDE, _SIDE))
    result: Plane = (tile / tile.std()).astype(np.float32)
    return result
