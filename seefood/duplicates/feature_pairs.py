"""Pairs of pictures whose features are nearly equal, without comparing each with each.

Features are centred on their mean, because those of one network have much in common, and compared
by the cosine of the angle between them. Candidates are found in their 64 principal components: an
inverted file (Jegou, Douze and Schmid 2011, "Product Quantization for Nearest Neighbor Search",
section 4) puts each picture into its two nearest cells, and only pictures of one cell are compared.
Candidates are then compared by all features.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from seefood.features.stored import StoredVectors

    Floats = NDArray[np.float32]
    Indices = NDArray[np.int64]
    Mask = NDArray[np.bool_]

_SAMPLE: Final = 8192
_COMPONENTS: Final = 64
_CELL: Final = 1000
"""Pictures in a cell, about."""
_ROUNDS: Final = 4
_BLOCK: Final = 8192
_SLACK: Final = 0.05
"""By how much the cosine of 64 components may be below that of all features."""


@dataclass(frozen=True, slots=True)
class Similarity:
    """The cosine between centred features, of one set of vectors."""

    vectors: "StoredVectors"
    mean: "Floats"
    """Of the vectors at length 1, of shape `(dimension,)`."""

    @classmethod
    def of(cls, vectors: "StoredVectors") -> "Similarity":
        """Return the similarity whose mean is that of at most 8,192 of `vectors`."""
        return cls(vectors, _unit(vectors.values[_sample(len(vectors))]).mean(axis=0))

    def centred(self, indices: "Indices | slice") -> "Floats":
        """Return vectors of length 1 without the mean, of shape `(n, dimension)`."""
        return _unit(_unit(self.vectors.values[indices]) - self.mean)

    def cosines(self, first: "Indices", second: "Indices") -> "Floats":
        """Return the cosine between the vectors of each pair of indices, in [-1, 1]."""
        result = np.empty(first.size, np.float32)
        for start in range(0, first.size, _BLOCK):
            block = slice(start, start + _BLOCK)
            products = self.centred(first[block]) * self.centred(second[block])
            result[block] = products.sum(axis=1)
        return result


def find_feature_pairs(
    similarity: Similarity, least: float, wanted: "Callable[[Indices, Indices], Mask]"
) -> "Iterator[tuple[Indices, Indices]]":
    """Yield pairs of indices whose cosine is at least `least`, the smaller index first.

    Before a block of pairs is compared, `wanted` says which of them matter: in a bucket of pictures
    that are all alike there are too many to compare. A pair may come twice, and may be missed if
    its pictures are in no cell together.
    """
    if len(similarity.vectors) < 2:
        return
    short = shortened(similarity)
    for members in _cells(short):
        for low, high in _within(short[members], least - _SLACK):
            left = _only(wanted, members[low], members[high])
            for start in range(0, left[0].size, _BLOCK):
                one, two = _only(wanted, *(each[start : start + _BLOCK] for each in left))
                alike = similarity.cosines(one, two) >= least
                yield one[alike], two[alike]


def _only(
    wanted: "Callable[[Indices, Indices], Mask]", one: "Indices", two: "Indices"
) -> "tuple[Indices, Indices]":
    kept = wanted(one, two)
    return one[kept], two[kept]


def shortened(similarity: Similarity) -> "Floats":
    """Return the principal components of the centred vectors at length 1: at most 64 a picture.

    Of fewer than 2,000 pictures all features: finding the components would take longer.
    """
    count = len(similarity.vectors)
    if count < 2 * _CELL:
        return similarity.centred(slice(None))
    sample = similarity.centred(_sample(count))
    components = min(_COMPONENTS, *sample.shape)
    _, axes = np.linalg.eigh(sample.T @ sample)  # ascending
    axes = np.ascontiguousarray(axes[:, -components:], np.float32)
    return np.concatenate(
        [
            _unit(similarity.centred(slice(start, start + _BLOCK)) @ axes)
            for start in range(0, count, _BLOCK)
        ]
    )


def _cells(short: "Floats") -> "Iterator[Indices]":
    """Yield the pictures of each cell, ascending; each picture is in two cells."""
    count = max(1, len(short) // _CELL)
    if count == 1:
        yield np.arange(len(short))
        return
    sample = short[_sample(len(short))]
    count = min(count, max(1, len(sample) // 10))
    centres = sample[np.linspace(0, len(sample) - 1, count).astype(int)]
    for _ in range(_ROUNDS):
        nearest = (sample @ centres.T).argmax(axis=1)
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, sample)
        is_used = np.bincount(nearest, minlength=count) > 0
        centres = np.where(is_used[:, np.newaxis], _unit(sums), centres)
    cells = np.empty((len(short), 2), np.int64)
    for start in range(0, len(short), _BLOCK):
        far = short[start : start + _BLOCK] @ -centres.T
        cells[start : start + _BLOCK] = np.argpartition(far, 1, axis=1)[:, :2]
    order = np.argsort(cells.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(cells.ravel(), minlength=count))
    yield from np.split(order // 2, ends[:-1])


def _within(cell: "Floats", least: float) -> "Iterator[tuple[Indices, Indices]]":
    """Yield the pairs of rows of `cell` whose product is at least `least`."""
    for start in range(0, len(cell), _BLOCK // 4):
        products = cell[start : start + _BLOCK // 4] @ cell[start:].T
        low, high = np.nonzero(products >= least)
        kept = low < high
        yield low[kept] + start, high[kept] + start


def _sample(count: int) -> "Indices":
    if count <= _SAMPLE:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, _SAMPLE, replace=False))


def _unit(vectors: "NDArray[np.generic]") -> "Floats":
    """Return `vectors` at length 1; one of zeros stays."""
    values = vectors.astype(np.float32)
    lengths = np.linalg.norm(values, axis=-1, keepdims=True)
    return np.asarray(values / np.maximum(lengths, np.finfo(np.float32).tiny), np.float32)
