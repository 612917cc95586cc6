"""The vectors nearest to one, by comparing with each of them: exact, and fast enough.

A million vectors of 1,280 numbers are 1.3 GB of 8-bit values, which two cores multiply with a query
in less than a second. No index has to be built, stored or kept up to date.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import numpy as np

from seefood.engines.threads import available_cores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seefood.features.stored import StoredVectors
    from seefood.vectors import Features

_BLOCK: Final = 256
"""Vectors that are converted to float32 at a time: they stay in a core's cache."""
_SAMPLE: Final = 8192


class Likeness:
    """The vectors of an output, ready for queries. Thread-safe.

    Two vectors are compared by the cosine between them, after the mean of all vectors is taken
    away: features of one network have much in common.
    """

    def __init__(self, vectors: "StoredVectors") -> None:
        """Compute the length of each vector, which takes about as long as a query."""
        self.vectors = vectors
        values = vectors.values
        step = max(1, len(vectors) // _SAMPLE)
        sample = values[::step].astype(np.float32)
        sample /= np.maximum(np.linalg.norm(sample, axis=1, keepdims=True), 1e-9)
        self._mean = sample.mean(axis=0)
        lengths, products = self._products(self._mean, squares=True)
        lengths = np.maximum(lengths, 1e-9)
        self._lengths = lengths
        self._mean_cosines = products / lengths
        centred = 1 - 2 * self._mean_cosines + float(self._mean @ self._mean)
        self._centred = np.sqrt(np.maximum(centred, 1e-9))

    def similarities(self, query: "Features") -> "NDArray[np.float32]":
        """Return the similarity of each vector to `query`, of shape `(dimension,)`: -1 to 1."""
        unit = query / max(float(np.linalg.norm(query)), 1e-9)
        direction = unit - self._mean
        direction /= max(float(np.linalg.norm(direction)), 1e-9)
        _, products = self._products(direction, squares=False)
        cosines = products / self._lengths - float(self._mean @ direction)
        return np.asarray(np.clip(cosines / self._centred, -1, 1), np.float32)

    def _products(
        self, direction: "NDArray[np.float32]", *, squares: bool
    ) -> "tuple[NDArray[np.float32], NDArray[np.float32]]":
        """Return the length of each vector, if asked for, and its product with `direction`."""
        values = self.vectors.values
        direction = np.ascontiguousarray(direction, np.float32)
        products = np.empty(len(values), np.float32)
        lengths = np.zeros(len(values), np.float32)

        def compute(start: int) -> None:
            stop = start + _BLOCK
            block = values[start:stop].astype(np.float32)
            products[start:stop] = np.vecdot(block, direction)  # BLAS's own threads would wait
            if squares:
                lengths[start:stop] = np.sqrt(np.vecdot(block, block))

        with ThreadPoolExecutor(available_cores(), "likeness") as pool:
            list(pool.map(compute, range(0, len(values), _BLOCK)))
        return lengths, products


def nearest(similarities: "NDArray[np.float32]", count: int) -> "NDArray[np.int64]":
    """Return the indices of the `count` largest values, the largest first."""
    count = min(count, similarities.size)
    if not count:
        return np.empty(0, np.int64)
    candidates = np.argpartition(-similarities, count - 1)[:count]
    order = np.lexsort((candidates, -similarities[candidates]))
    return np.asarray(candidates[order], np.int64)
