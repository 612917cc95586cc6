"""The pictures that a new layer is taught with: their features, and what people say of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from seefood.bundle import Bundle
from seefood.corrections import read_corrections
from seefood.engines.base import FeatureEngine
from seefood.engines.loading import load_engine
from seefood.errors import UsageError
from seefood.features.places import VectorPlaces
from seefood.features.stored import StoredVectors
from seefood.imaging.decode import ResizeRule, decode
from seefood.storage import fetch
from seefood.vectors import Features, real, rounded, scaled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seefood.storage.uris import Location

_BATCH: Final = 16


@dataclass(frozen=True, slots=True)
class Taught:
    """Examples with their features, as an output stores them."""

    features: Features
    labels: "NDArray[np.int64]"
    """Indices of `names`, of shape `(n,)`."""
    names: tuple[str, ...]
    """The classes, sorted."""
    record: dict[str, Any]
    """How many there are of each class, and from where."""
    notes: tuple[str, ...] = ()
    """What a person should know about how they were read, a sentence each."""


def folder_examples(data: str, bundle: Bundle) -> Taught:
    """Return the photos of a folder for each class, or of any other layout that `train` reads.

    Photos for testing are left out, and so are files that cannot be decoded. Raises `UsageError`
    for a layout that is not understood, and as `decode_photos` does.
    """
    from seefood_training.data import decode_photos, read_photo_set

    photo_set = read_photo_set(data)
    given = (*photo_set.train, *photo_set.validation)
    small = decode_photos(given, ResizeRule(1, 1), labels=photo_set.labels)
    photos = small.photos
    engine = load_engine(bundle, features=True)
    assert isinstance(engine, FeatureEngine)  # noqa: S101 (`load_engine` checks it)
    features = []
    for start in range(0, len(photos), _BATCH):
        part = photos[start : start + _BATCH]
        pixels = [decode(fetch(photo.ref), bundle.spec.rule).pixels for photo in part]
        _, found = engine.predict_with_features(np.stack(pixels))
        features.append(real(rounded(found)))  # as rows would have them
    labels = np.array([photo.label for photo in photos], np.int64)
    left = (f"left out: {it.uri} ({it.reason})" for it in small.unreadable)
    taught = _taught(np.concatenate(features), labels, photo_set.labels, data)
    return replace(taught, notes=(*photo_set.told, *left))


def correction_examples(output: "Location", vectors: StoredVectors) -> Taught:
    """Return the corrected pictures of `output` that have stored features.

    Raises `UsageError` if there are none, or one that gives a picture several labels.
    """
    corrections = list(read_corrections(output).values())
    places = VectorPlaces(vectors).find(
        [each.uri for each in corrections], [each.etag for each in corrections]
    )
    known = [(each, at) for each, at in zip(corrections, places.tolist(), strict=True) if at >= 0]
    if not known:
        raise UsageError(
            f"no corrected picture below {output.uri} has features; correct some with "
            "`seefood review`, and classify with `--features`"
        )
    names = tuple(sorted({each.only_label for each, _ in known}))
    labels = np.array([names.index(each.only_label) for each, _ in known], np.int64)
    at = np.array([place for _, place in known])
    return _taught(scaled(vectors.values[at], vectors.scales[at]), labels, names, "corrections")


def joined(parts: Sequence[Taught]) -> Taught:
    """Return the examples of all `parts`; their classes are joined by name."""
    names = tuple(sorted({name for part in parts for name in part.names}))
    labels = [np.array([names.index(name) for name in part.names])[part.labels] for part in parts]
    features = np.concatenate([part.features for part in parts])
    sources = " and ".join(part.record["source"] for part in parts)
    taught = _taught(features, np.concatenate(labels), names, sources)
    return replace(taught, notes=tuple(note for part in parts for note in part.notes))


def _taught(
    features: Features, labels: "NDArray[np.int64]", names: tuple[str, ...], source: str
) -> Taught:
    counts = np.bincount(labels, minlength=len(names)).tolist()
    record = {"source": source, "examples": dict(zip(names, counts, strict=True))}
    return Taught(features, labels, names, record)
