"""Which photos are held back: whole groups of copies, the same share of every class.

A copy of a training photo among the validation photos would be praise for memory. Copies are files
of equal bytes, and photos whose 8 x 8 difference hashes differ in at most 4 of 64 bits, mirrored or
turned by a quarter or not.
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
"""Widths that add up to 64: two hashes that differ in 4 bits agree in at least one of 5 bands."""
_HALF: Final = 32
Hashes = NDArray[np.uint64]


def difference_hashes(image: Pixels) -> Hashes:
    """Return the 8 hashes of a picture of shape `(h, w, 3)`: as it is, then mirrored and turned.

    A bit says whether a pixel of the 9 x 8 grey miniature is darker than its right neighbour.
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
    """Return each photo's group, of shape `(n,)`: the index of the first photo it is a copy of.

    `hashes` is of shape `(n, 8)`, from `difference_hashes`. Copies of copies are one group.
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
    """Return which photos are held back for validation, of shape `(n,)`.

    About `share` of each stratum (a class, or a class of one source), at least one photo. The
    photos' content decides, so names and order do not matter, and added photos change little.
    Raises `UsageError` if a stratum has no two photos that are not copies of each other.
    """
    held = np.zeros(len(groups), dtype=bool)
    members: dict[int, list[int]] = {}
    for index, group in enumerate(groups.tolist()):
        members.setdefault(group, []).append(index)
    kinds = np.asarray(strata)
    for kind in np.unique(kinds):
        # A group of two strata (one photo under two labels) belongs to the first of them.
        mine = [group for group in members if kinds[group] == kind]
        if len(mine) < 2:
            raise UsageError(
                f"class number {int(kind) + 1} has {len(mine)} different photos; training needs at "
                "least two of each class, one to learn from and one to check with"
            )
        mine.sort(key=lambda group: _rank(seed, [sha256[index] for index in members[group]]))
        wanted, taken = max(1, round(share * int((kinds == kind).sum()))), 0
        for group in mine[:-1]:
            if taken >= wanted:
                break
            held[members[group]] = True
            taken += len(members[group])
    return held


def _rank(seed: int, sha256: Iterable[str]) -> bytes:
    return hashlib.sha256(f"{seed}:{min(sha256)}".encode()).digest()


def _near_pairs(hashes: Hashes) -> Iterable[tuple[int, int]]:
    """Yield pairs of photos of which one, turned or mirrored, is nearly the other."""
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
