"""Divides photos into folds for cross-validation, with the copies of a photo in one fold."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def assign_folds(
    photos: Sequence[str],
    strata: NDArray[np.int64],
    groups: NDArray[np.int64],
    count: int,
    seed: int = 0,
) -> NDArray[np.int64]:
    """Return each photo's fold, of shape `(n,)`, below `count` or the smallest number that fits.

    `photos` are the SHA-256 of the files, `strata` their classes. Each class is spread evenly over
    the folds. A class with fewer groups than folds is in as many folds as it has groups. The choice
    depends on the content of the photos and not on their names or order.
    """
    members: dict[int, list[int]] = {}
    for index, group in enumerate(groups.tolist()):
        members.setdefault(group, []).append(index)
    folds = np.zeros(len(groups), np.int64)
    filled = np.zeros(count, np.int64)
    for stratum in np.unique(strata):
        # A group in two classes (one photo under two labels) belongs to the first of them.
        inside = [group for group in members if strata[group] == stratum]
        inside.sort(key=lambda group: _rank(seed, [photos[index] for index in members[group]]))
        # Each class begins where the fewest photos are, so that the folds are equally large.
        order = np.argsort(filled, kind="stable")
        for position, group in enumerate(inside):
            fold = order[position % count]
            folds[members[group]] = fold
            filled[fold] += len(members[group])
    return folds


def _rank(seed: int, photos: Sequence[str]) -> bytes:
    return hashlib.sha256(f"{seed}:{min(photos)}".encode()).digest()
