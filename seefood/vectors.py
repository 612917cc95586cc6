"""Rounds features to 8 bits with one scale a picture, and back."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seefood.records import Vector

Features = NDArray[np.float32]
"""Of shape `(n, dimension)`."""
LARGEST: Final = 127
"""The largest magnitude of a stored value."""


def rounded(features: Features) -> list[Vector]:
    """Return each row of `features`, `(n, dimension)`, as 8-bit values with a scale.

    The rounding error of a feature is at most half the scale: 1/254 of the row's largest feature.
    Raises `ValueError` for a value that is not finite.
    """
    if not np.isfinite(features).all():
        raise ValueError("a feature is not finite")
    scales = np.abs(features).max(axis=1, initial=0.0).astype(np.float32) / np.float32(LARGEST)
    inverse = np.divide(1, scales, out=np.zeros_like(scales), where=scales > 0)
    values = np.rint(features * inverse[:, np.newaxis]).astype(np.int8)
    return [
        Vector(float(scale), value.tobytes()) for scale, value in zip(scales, values, strict=True)
    ]


def real(vectors: Sequence[Vector]) -> Features:
    """Return the features of `vectors`, float32 of shape `(n, dimension)`; n is at least 1."""
    values = np.stack([np.frombuffer(each.values, np.int8) for each in vectors])
    return scaled(values, np.array([each.scale for each in vectors], np.float32))


def scaled(values: NDArray[np.int8], scales: NDArray[np.float32]) -> Features:
    """Return the features of int8 `values`, `(n, dimension)`, with `scales`, `(n,)`."""
    return np.asarray(values.astype(np.float32) * scales[:, np.newaxis], np.float32)
