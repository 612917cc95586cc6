"""Splits photos into training and validation, keeping copies of a photo on one side.

A copy of a training photo among the validation photos would measure memory. Copies are files with
equal bytes, and photos whose difference hashes differ in at most 4 of 64 bits in any of the eight
orientations, and that look alike (`seefood_training.fingerprints`).
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seefood.errors import UsageError
from seefood_training.fingerprints import (
    NEAR_BITS,
    Fingerprint,
    Hashes,
    difference_hashes,
    differing_bits,
    look_alike,
)

__all__ = ["difference_hashes", "find_groups", "group_copies", "hold_out"]

_BANDS: Final = (13, 13, 13, 13, 12)
"""Widths in bits, 64 in all: hashes that differ in 4 bits agree in at least one of 5 bands."""
_LARGEST_GROUP: Final = 0.2
"""A group of a larger share of the photos is not of copies: all pictures of the set look alike."""
_MIN_LARGEST_GROUP: Final = 20
_REFUTED: Final = 0.02
"""Pairs with near hashes that do not look alike, as a share of the photos. In a set with more, such
as clothes or signs on a plain ground, hashes say nothing, unless most pairs are copies."""
_MIN_REFUTED: Final = 4


def group_copies(fingerprints: Sequence[Fingerprint]) -> tuple[NDArray[np.int64], bool]:
    """Return each photo's group, of shape `(n,)`, and whether near copies are in one group.

    A group is the index of its first photo. Where many pictures that are no copies have nearly
    equal hashes (digits, for example), only files with equal bytes are copies.
    """
    sha256 = [it.sha256 for it in fingerprints]
    hashes = np.stack([it.hashes for it in fingerprints])
    parents = _equal_files(sha256)
    refuted: set[tuple[int, int]] = set()
    copies = 0
    for pair in _near_pairs(hashes):
        left, right = sorted(pair)
        if _root(parents, left) == _root(parents, right) or (left, right) in refuted:
            continue
        if look_alike(fingerprints[left].thumbnail, fingerprints[right].thumbnail):
            _join(parents, left, right)
            copies += 1
            continue
        refuted.add((left, right))
        if len(refuted) > len(sha256) + 2 * copies:
            break  # enough is known, and the other pairs may be millions
    if len(refuted) > max(_MIN_REFUTED, _REFUTED * len(sha256), 2 * copies):
        return _roots(_equal_files(sha256)), False
    groups = _roots(parents)
    allowed = max(_MIN_LARGEST_GROUP, _LARGEST_GROUP * len(sha256))
    if np.bincount(groups).max() <= allowed:
        return groups, True
    return _roots(_equal_files(sha256)), False


def find_groups(sha256: Sequence[str], hashes: Hashes) -> NDArray[np.int64]:
    """Return each photo's group, of shape `(n,)`: the index of the group's first photo.

    `hashes` is of shape `(n, 8)`, from `difference_hashes`. Copies of copies are in one group.
    """
    parents = _equal_files(sha256)
    for left, right in _near_pairs(hashes):
        _join(parents, left, right)
    return _roots(parents)


def hold_out(
    sha256: Sequence[str],
    strata: Sequence[int],
    groups: NDArray[np.int64],
    share: float,
    seed: int = 0,
    names: Sequence[str] = (),
) -> NDArray[np.bool_]:
    """Return a mask of shape `(n,)` that selects the validation photos.

    Selects about `share` of each stratum (a class, or a class of one source), at least one photo.
    The choice depends on the content of the photos and not on their names or order, and changes
    little when photos are added. Raises `UsageError` if a stratum has fewer than two groups;
    `names` are the strata's, for the message.
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
            name = repr(names[kind]) if len(names) else f"number {int(kind) + 1}"
            count = int((kinds == kind).sum())
            has = "1 photo" if count == 1 else f"{count} photos, which are copies of one another"
            copies = int((kinds[groups[kinds == kind]] != kind).sum())
            if copies:
                has = f"{count} photos, of which {copies} are copies of photos of another class"
            raise UsageError(
                f"the class {name} has {has}; training needs at least two different ones of "
                "each class, one to train on and one to validate with: add photos, or remove "
                "the class"
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
                bits_apart = differing_bits(hashes[others, 0], hashes[index, variant])
                for other in others[bits_apart <= NEAR_BITS]:
                    if other != index:
                        yield int(other), int(index)


def _equal_files(sha256: Sequence[str]) -> list[int]:
    """Return the parents of a forest in which files with equal bytes are joined."""
    parents = list(range(len(sha256)))
    first: dict[str, int] = {}
    for index, digest in enumerate(sha256):
        _join(parents, first.setdefault(digest, index), index)
    return parents


def _roots(parents: list[int]) -> NDArray[np.int64]:
    return np.asarray([_root(parents, index) for index in range(len(parents))], np.int64)


def _root(parents: list[int], index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return index


def _join(parents: list[int], left: int, right: int) -> None:
    roots = sorted((_root(parents, left), _root(parents, right)))
    parents[roots[1]] = roots[0]
