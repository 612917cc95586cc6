"""Pairs of perceptual hashes that differ in few bits, without comparing each with each.

Multi-index hashing (Norouzi, Punjani and Fleet 2012, "Fast Search in Hamming Space with Multi-Index
Hashing"): of two hashes of 64 bits that differ in at most 7, at least one of the 8 bytes is equal;
in at most 15, at least one byte differs in at most one bit. Only such hashes are compared.
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from seefood.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

MAX_DISTANCE: Final = 15
_BYTES: Final = 8
_BLOCK: Final = 1 << 22
"""Comparisons at a time: their memory is bounded by it."""
_MAX_PAIRS: Final = 20_000_000


def find_hash_pairs(
    hashes: "NDArray[np.uint64]", distance: int
) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """Return the indices of all pairs of `hashes` that differ in at most `distance` bits.

    Each pair once, the smaller index first; equal hashes are chained: of many equal ones each is
    paired with the first. Raises `UsageError` for a distance above 15, and for so many pairs that
    the distance is of no use.
    """
    if not 0 <= distance <= MAX_DISTANCE:
        raise UsageError(f"{distance} bits is no distance for copies; use 0 to {MAX_DISTANCE}")
    unique, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    equal = np.flatnonzero(first[inverse] != np.arange(hashes.size))
    found = [(first[inverse[equal]], equal)]
    if distance and unique.size > 1:
        codes = [np.empty(0, np.int64)]
        total = 0
        for low, high in _near(unique, distance):
            codes.append(low * unique.size + high)
            total += low.size
            if total > _MAX_PAIRS:
                raise UsageError(
                    f"more than {_MAX_PAIRS:,} pairs differ in at most {distance} bits; use a "
                    "smaller `--near`"
                )
        pairs = np.unique(np.concatenate(codes))
        found.append((first[pairs // unique.size], first[pairs % unique.size]))
    firsts, seconds = (np.concatenate(each) for each in zip(*found, strict=True))
    return np.minimum(firsts, seconds), np.maximum(firsts, seconds)


def _near(
    unique: "NDArray[np.uint64]", distance: int
) -> "Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]":
    """Yield pairs of indices of different hashes; a pair may come several times."""
    columns = unique.view(np.uint8).reshape(-1, _BYTES)
    flips = [0] if distance < _BYTES else [0, *(1 << bit for bit in range(8))]
    for column in range(_BYTES):
        values = columns[:, column]
        order = np.argsort(values, kind="stable")
        starts = np.searchsorted(values[order], np.arange(257))
        buckets = [order[starts[value] : starts[value + 1]] for value in range(256)]
        for value in range(256):
            for flip in flips:
                other = value ^ flip
                if other >= value and buckets[value].size and buckets[other].size:
                    yield from _compare(unique, buckets[value], buckets[other], distance)


def _compare(
    unique: "NDArray[np.uint64]",
    left: "NDArray[np.intp]",
    right: "NDArray[np.intp]",
    distance: int,
) -> "Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]":
    others = unique[right]
    step = max(1, _BLOCK // right.size)
    for start in range(0, left.size, step):
        rows = left[start : start + step]
        bits = np.bitwise_count(unique[rows][:, np.newaxis] ^ others)
        at, other = np.nonzero(bits <= distance)
        low, high = rows[at].astype(np.int64), right[other].astype(np.int64)
        kept = low < high if left is right else low != high
        yield np.minimum(low, high)[kept], np.maximum(low, high)[kept]
