"""Splits photos into training and validation, keeping copies of a photo on one side.

A copy of a training photo among the validation photos would measure memory. Copies are files with
equal bytes, and photos whose 8 x 8 difference hashes differ in at most 4 of 64 bits in any of the
eight orientations (mirrored or not, rotated by multiples of 90 degrees).
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seefood.errors import UsageError
from seefood.imaging.decode import Pixels

NEAR_BITS: Final = 4
_BANDS: Final = (13, 13, 13, 13, 12)
"""Widths in bits, 64 in all: hashes that differ in 4 bits agree in at least one of 5 bands."""
_HALF: Final = 32
Hashes = NDArray[np.uint64]


def difference_hashes(image: Pixels) -> Hashes:
    """Return the hashes of a picture of shape `(h, w, 3)` in 8 orientations, the original first.

    A bit is set where a pixel of the 9 x 8 grey thumbnail is darker than its right neighbour.
    """
    grey = Image.fromarray(image).convert("L").resize((_HALF, _HALF), Image.Resampling.BOX)
    square = np.asarray(grey)
    hashes = np.empty(8, np.uint64)
    for turn in range(4):
        turned = np.rot90(square, turn)
        for mirrored in (False, True):
            view = np.ascontiguousarray(turned[:, ::-1] if mirrored else turned)
            small = np.asarray(Image.fromarray(view).resize((9, 8), Image.Resampling.BOX))
            bits = np.packbits(small[:, 1:] > small[:, :-1])
            hashes[2 * turn + mirrored] = bits.view(np.uint64)[0]
    return hashes


def find_groups(sha256: Sequence[str], hashes: Hashes) -> NDArray[np.int64]:
    """Return each photo's group, of shape `(n,)`: the index of the group's first photo.

    `hashes` is of shape `(n, 8)`, from `difference_hashes`. Copies of copies are in one group.
    """
    parents = list(range(len(sha256)))
    first: dict[str, int] = {}
    for index, digest in enumerate(sha256):
        _join(parents, first.setdefault(digest, index), index)
    for left, right in _near_pairs(hashes):
        _join(parents, left, right)
    return np.asarray([_root(parents, index) for index in range(len(parents))], np.int64)


def hold_out(
    sha256: Sequence[str],
    strata: Sequence[int],
    groups: NDArray[np.int64],
    share: float,
    seed: int = 0,
) -> NDArray[np.bool_]:
    """Return a mask of shape `(n,)` that selects the validation photos.

    Selects about `share` of each stratum (a class, or a class of one source), at least one photo.
    The choice depends on the content of the photos and not on their names or order, and changes
    little when photos are added. Raises `UsageError` if a stratum has fewer than two groups.
    """
    validation = np.zeros(len(groups), dtype=bool)
    members: dict[int, list[int]] = {}
    for index, group in enumerate(groups.tolist()):
        members.setdefault(group, []).append(index)
    kinds = np.asarray(strata)
    for kind in np.unique(kinds):
        # A group in two strata (one photo under two labels) belongs to the first of them.
        candidates = [group for group in members if kinds[group] == kind]
        if len(candidates) < 2:
            raise UsageError(
                f"class number {int(kind) + 1} has {len(candidates)} different photos; training "
                "needs at least two of each class, one to train on and one to validate with"
            )
        candidates.sort(key=lambda group: _rank(seed, [sha256[index] for index in members[group]]))
        wanted, taken = max(1, round(share * int((kinds == kind).sum()))), 0
        for group in candidates[:-1]:
            if taken >= wanted:
                break
            validation[members[group]] = True
            taken += len(members[group])
    return validation


def _rank(seed: int, sha256: Iterable[str]) -> bytes:
    return hashlib.sha256(f"{seed}:{min(sha256)}".encode()).digest()


def _near_pairs(hashes: Hashes) -> Iterable[tuple[int, int]]:
    """Yield pairs of photos of which one is nearly an orientation of the other."""
    shift = 0
    for bits in _BANDS:
        bands = (hashes >> np.uint64(shift)) & np.uint64((1 << bits) - 1)
        shift += bits
        order = np.argsort(bands[:, 0], kind="stable")
        ranked = bands[order, 0]
        for variant in range(hashes.shape[1]):
            starts = np.searchsorted(ranked, bands[:, variant], "left")
            ends = np.searchsorted(ranked, bands[:, variant], "right")
            for index in np.flatnonzero(ends > starts):
                others = order[starts[index] : ends[index]]
                difference = hashes[others, 0] ^ hashes[index, variant]
                for other in others[_bits(difference) <= NEAR_BITS]:
                    if other != index:
                        yield int(other), int(index)


def _bits(values: Hashes) -> NDArray[np.int64]:
    """Return how many bits are set in each value."""
    bits = np.unpackbits(values.view(np.uint8).reshape(len(values), 8), axis=1)
    return np.asarray(bits.sum(axis=1), np.int64)


def _root(parents: list[int], index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return index


def _join(parents: list[int], left: int, right: int) -> None:
    roots = sorted((_root(parents, left), _root(parents, right)))
    parents[roots[1]] = roots[0]
