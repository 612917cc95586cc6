"""Orders pictures so that each is as different as can be from all before it.

Farthest-first traversal (Gonzalez 1985, "Clustering to Minimize the Maximum Intercluster
Distance"), which Sener and Savarese (2018, "Active Learning for Convolutional Neural Networks: A
Core-Set Approach") use to choose pictures for labelling. Whoever looks at the first pictures of the
order has seen something of every kind; copies come last.
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from seefood.duplicates.feature_pairs import Similarity, shortened

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seefood.features.stored import StoredVectors

_COMPARISONS: Final = 100_000_000
"""Pairs of pictures that are compared; of a million pictures, 300 are chosen one by one."""
_LEAST_CHOSEN: Final = 300


def most_different(vectors: "StoredVectors") -> "NDArray[np.int64]":
    """Return the indices of all vectors, the most different first.

    The first pictures are chosen one by one; the others follow by how different each is from all
    that were chosen. Differences are cosines of 64 principal components.
    """
    count = len(vectors)
    if count < 2:
        return np.arange(count)
    short = shortened(Similarity.of(vectors))
    chosen = [int(np.argmin(short @ short.mean(axis=0)))]
    nearest = short @ short[chosen[0]]
    for _ in range(min(count, max(_LEAST_CHOSEN, _COMPARISONS // count)) - 1):
        nearest[chosen[-1]] = np.inf
        chosen.append(int(np.argmin(nearest)))
        np.maximum(nearest, short @ short[chosen[-1]], out=nearest)
    nearest[chosen] = np.inf
    others = np.argsort(nearest, kind="stable")[: count - len(chosen)]
    return np.concatenate([np.array(chosen, np.int64), others])
