"""Chooses the thresholds of a packaged model on labelled photos (`--calibrate`).

The model's numbers stay as they are: only what is accepted changes. A model of one label a picture
gets thresholds by the rule of training (`seefood_training.acceptance`), one of several labels the
threshold with the highest F1 for each label.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seefood.errors import PictureError, UsageError
from seefood.imaging.resize_rule import ResizeRule
from seefood.records import ImageRef
from seefood.storage import fetch
from seefood_training.acceptance import Wish, choose_acceptance
from seefood_training.fingerprints import Fingerprint, fingerprint
from seefood_training.layouts.label_sets import read_label_sets
from seefood_training.metrics import confusion_matrix
from seefood_training.multi_label import choose_thresholds
from seefood_training.packaging.answers import Values
from seefood_training.packaging.examples import resized
from seefood_training.predictions import labelled_photos
from seefood_training.training_photos import seen_by
from seefood_training.verdicts import verdicts

_CHUNK: Final = 32
_LEAST: Final = 20
"""Photos without which a threshold would be chance."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The thresholds of a bundle and how they were chosen."""

    values: tuple[float, ...]
    record: dict[str, Any]
    """JSON values for the bundle's record."""
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What `--calibrate` asks for."""

    data: str
    """Labelled photos that the model was not trained on."""
    wish: Wish


def choose(
    wanted: Calibration,
    labels: Sequence[str],
    rule: ResizeRule,
    answer: Callable[[NDArray[np.uint8]], Values],
    *,
    multi_label: bool,
    made_from: Path | None = None,
) -> Thresholds:
    """Return the thresholds for `answer`, which maps pictures in the network's size to answers.

    `made_from` is the model's folder: if it is a bundle's, photos that the model was made from are
    recognised. Raises `UsageError` for data that cannot be read or has too few photos.
    """
    if multi_label:
        sets = read_label_sets(wanted.data, labels)
        kept, probabilities, prints = _answers(sets.photos, rule, answer, wanted.data)
        values = choose_thresholds(sets.truth[kept], probabilities, (0.5,) * len(labels))
        changed = sum(value != 0.5 for value in values)
        note = (
            f"chose {changed} of {len(labels)} thresholds for the highest F1 on {len(kept):,} "
            "photos; a label with fewer than 10 photos for or against it keeps 0.5"
        )
        left = [f"left out: {line.uri} ({line.reason})" for line in sets.left_out]
        notes = (*left, *_unread(sets.photos, kept), *seen_by(made_from, prints), note)
        return Thresholds(tuple(values), {"photos": len(kept), "rule": "F1"}, notes)
    told: list[str] = []
    photos = labelled_photos(wanted.data, labels, tell=told.append)
    kept, probabilities, prints = _answers([it.ref for it in photos], rule, answer, wanted.data)
    truth = np.asarray([photos[at].label for at in kept], np.int64)
    acceptance = choose_acceptance(probabilities, truth, wanted.wish)
    matrix = confusion_matrix(truth, probabilities.argmax(axis=1), len(labels))
    told += [*_unread([it.ref for it in photos], kept), *verdicts(labels, matrix)]
    return Thresholds(
        acceptance.thresholds,
        {"photos": len(kept), **acceptance.as_json()},
        (*told, *seen_by(made_from, prints), acceptance.sentence(), acceptance.curve_sentence()),
    )


def _unread(photos: Sequence[ImageRef], kept: NDArray[np.int64]) -> list[str]:
    """Return a sentence if some of `photos` could not be decoded."""
    read = set(kept.tolist())
    left = [ref.uri for at, ref in enumerate(photos) if at not in read]
    if not left:
        return []
    return [f"{len(left):,} of {len(photos):,} files cannot be decoded, such as {left[0]}"]


def _answers(
    photos: Sequence[ImageRef],
    rule: ResizeRule,
    answer: Callable[[NDArray[np.uint8]], Values],
    data: str,
) -> tuple[NDArray[np.int64], NDArray[np.float32], list[Fingerprint]]:
    """Return the indices of the photos that can be decoded, the answers, and the fingerprints."""
    kept, parts, prints = list[int](), list[Values](), list[Fingerprint]()
    for start in range(0, len(photos), _CHUNK):
        images = []
        for at, ref in enumerate(photos[start : start + _CHUNK], start):
            try:
                content = fetch(ref)
                images.append(resized(content, rule))
            except PictureError:
                continue  # `_unread` tells it
            kept.append(at)
            prints.append(fingerprint(content))
        if images:
            parts.append(answer(np.stack(images)))
    if len(kept) < _LEAST:
        raise UsageError(
            f"`--calibrate {data}` has {len(kept)} photos that can be decoded; give at least "
            f"{_LEAST}, or leave the option out"
        )
    return np.asarray(kept, np.int64), np.concatenate(parts), prints
