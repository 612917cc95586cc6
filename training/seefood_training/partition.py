"""Decides which photos train, which validate and which test, with no copy on two sides.

Photos that DATA gives for validation are used for that, except copies of training photos. Without
any, a share of the training photos is held out. Test photos are all used; copies of other photos
among them are counted, because a figure on them measures memory.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seefood.imaging.decode import ResizeRule
from seefood_training.data import DecodedPhotos, PhotoSet, decode_photos
from seefood_training.layouts.base import some
from seefood_training.split import group_copies, hold_out
from seefood_training.training_photos import Copy, TrainingPhotos, describe_copies

_FEW: Final = 10
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Partition:
    """The photos by their use."""

    training: NDArray[np.bool_]
    """Which of the photos train, of shape `(n,)`: a mask, because their pixels are large."""
    validation: DecodedPhotos
    """At the network's input size, as `test`."""
    test: DecodedPhotos | None
    known: TrainingPhotos
    """The photos to train on and to validate with."""
    test_copies: tuple[Copy | None, ...]
    """Of each test photo, whether it is a copy of one of `known`."""
    notes: tuple[str, ...]
    """What a person should know about the photos, a sentence each."""


def partition(
    photo_set: PhotoSet, photos: DecodedPhotos, rule: ResizeRule, share: float, seed: int
) -> Partition:
    """Return the photos of `photo_set` by their use.

    `photos` are those to train on, with fingerprints and larger than the network's input, which
    `rule` describes; `share` of each class is held out if the set has no photos to validate with.
    Raises `UsageError` for a class with fewer than two different photos.
    """
    groups, knows_near = group_copies(photos.fingerprints)
    notes = [*_few_photos(photo_set, photos, groups), *_contradictions(photo_set, photos, groups)]
    if not knows_near:
        notes.append(
            "many photos look so alike that copies cannot be told from others: only files with "
            "equal bytes count as copies"
        )
    validation = _given_validation(photo_set, photos, rule, notes, knows_near=knows_near)
    training = np.ones(len(photos.photos), np.bool_)
    if validation is None:
        labels = photos.labels.tolist()
        training = ~hold_out(photos.sha256, labels, groups, share, seed, photo_set.labels)
        held_out = [photos.photos[at] for at in np.flatnonzero(~training)]
        validation = decode_photos(held_out, rule, fingerprints=True)
    prints = [photos.fingerprints[at] for at in np.flatnonzero(training)]
    prints += validation.fingerprints
    known = TrainingPhotos.of(prints, knows_near=knows_near)
    test, copies = None, list[Copy | None]()
    if photo_set.test:
        test = decode_photos(photo_set.test, rule, fingerprints=True)
        notes += [f"left out: {it.uri} ({it.reason})" for it in test.unreadable]
        notes += _absent_classes(photo_set, test, "to test with")
        copies = known.find(test.fingerprints)
        if any(copies):
            notes.append(
                f"of the test photos, {describe_copies(copies)}: the figures on them are too high, "
                "and are also given without them"
            )
    return Partition(training, validation, test, known, tuple(copies), tuple(notes))


def _given_validation(
    photo_set: PhotoSet,
    photos: DecodedPhotos,
    rule: ResizeRule,
    notes: list[str],
    *,
    knows_near: bool,
) -> DecodedPhotos | None:
    """Return the photos that DATA gives for validation without copies; None if none is left."""
    if not photo_set.validation:
        return None
    given = decode_photos(photo_set.validation, rule, fingerprints=True)
    notes += [f"left out: {it.uri} ({it.reason})" for it in given.unreadable]
    known = TrainingPhotos.of(photos.fingerprints, knows_near=knows_near)
    copies = known.find(given.fingerprints)
    if not any(copies):
        notes += _absent_classes(photo_set, given, "for validation")
        return given
    own = given.subset([at for at, copy in enumerate(copies) if copy is None])
    missing = sorted(set(given.labels.tolist()) - set(own.labels.tolist()))
    if missing:
        notes.append(
            f"of the validation photos, {describe_copies(copies)}, and none of the class "
            f"{photo_set.labels[missing[0]]!r} is left; a share of the training photos is held out "
            "instead"
        )
        return None
    notes.append(f"of the validation photos, {describe_copies(copies)}; those are not used")
    return own


def _absent_classes(photo_set: PhotoSet, photos: DecodedPhotos, use: str) -> list[str]:
    """Return a sentence if `photos`, which DATA gives for one use, are not of all classes."""
    here = set(photos.labels.tolist())
    absent = [label for at, label in enumerate(photo_set.labels) if at not in here]
    if not absent:
        return []
    note = (
        f"none of the photos {use} is of {some(absent)}: the figures on them say nothing of such "
        "classes"
    )
    return [note]


def _few_photos(photo_set: PhotoSet, photos: DecodedPhotos, groups: NDArray[np.int64]) -> list[str]:
    """Return a sentence if a class has so few photos that its figures mean nothing."""
    labels = photos.labels
    counts = [len(set(groups[labels == at].tolist())) for at in range(len(photo_set.labels))]
    few = [at for at in np.argsort(counts, kind="stable").tolist() if counts[at] < _FEW]
    if not few:
        return []
    shown = ", ".join(f"{photo_set.labels[at]!r} ({counts[at]})" for at in few[:_SHOWN])
    more = f" and {len(few) - _SHOWN} more" if len(few) > _SHOWN else ""
    note = (
        f"fewer than {_FEW} different photos to train on are of {shown}{more}: what the bundle "
        "says of such a class is a guess; add photos"
    )
    return [note]


def _contradictions(
    photo_set: PhotoSet, photos: DecodedPhotos, groups: NDArray[np.int64]
) -> list[str]:
    """Return a sentence if copies of one photo have different labels."""
    labels = photos.labels
    apart = np.flatnonzero(labels != labels[groups])
    if not len(apart):
        return []
    at = int(apart[0])
    one, other = (
        f"{photos.photos[index].ref.uri} ({photo_set.labels[labels[index]]})"
        for index in (int(groups[at]), at)
    )
    note = (
        f"{len(apart):,} photos are copies of photos of another class, such as {one} and {other}; "
        "remove the wrong ones"
    )
    return [note]
