"""The pictures that a new layer is taught with: their features, and what people say of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from seefood.bundle import Bundle
from seefood.corrections import read_corrections
from seefood.engines.base import FeatureEngine
from seefood.engines.loading import load_engine
from seefood.errors import UsageError
from seefood.features.places import VectorPlaces
from seefood.features.stored import StoredVectors
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
    groups: "NDArray[np.int64]"
    """Of shape `(n,)`: copies of a picture have the same number."""
    record: dict[str, Any]
    """How many there are of each class, and from where."""
    notes: tuple[str, ...] = ()
    """What a person should know about how they were read, a sentence each."""

    @classmethod
    def of(
        cls,
        features: Features,
        labels: "NDArray[np.int64]",
        names: tuple[str, ...],
        source: str = "",
        groups: "NDArray[np.int64] | None" = None,
    ) -> Self:
        """Return examples; without `groups`, those with equal features are copies."""
        if groups is None:
            groups = np.unique(features, axis=0, return_inverse=True)[1].ravel()
        counts = np.bincount(labels, minlength=len(names)).tolist()
        record = {"source": source, "examples": dict(zip(names, counts, strict=True))}
        return cls(features, labels, names, groups, record)


def folder_examples(data: str, bundle: Bundle) -> Taught:
    """Return the photos of a folder for each class, or of any other layout that `train` reads.

    Photos for testing are left out, and so are files that cannot be decoded. Raises `UsageError`
    for a layout that is not understood, and as `decode_photos` does.
    """
    from seefood_training.data import decode_photos, read_photo_set
    from seefood_training.split import group_copies

    photo_set = read_photo_set(data)
    given = (*photo_set.train, *photo_set.validation)
    photos = decode_photos(given, bundle.spec.rule, labels=photo_set.labels, fingerprints=True)
    engine = load_engine(bundle, features=True)
    assert isinstance(engine, FeatureEngine)  # noqa: S101 (`load_engine` checks it)
    features = []
    for start in range(0, len(photos.photos), _BATCH):
        _, found = engine.predict_with_features(photos.pixels[start : start + _BATCH])
        features.append(real(rounded(found)))  # as rows would have them
    groups, _ = group_copies(photos.fingerprints)
    taught = Taught.of(np.concatenate(features), photos.labels, photo_set.labels, data, groups)
    left = (f"left out: {it.uri} ({it.reason})" for it in photos.unreadable)
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
    features = scaled(vectors.values[at], vectors.scales[at])
    return Taught.of(features, labels, names, "corrections")


def joined(parts: Sequence[Taught]) -> Taught:
    """Return the examples of all `parts`; their classes are joined by name."""
    names = tuple(sorted({name for part in parts for name in part.names}))
    labels = [np.array([names.index(name) for name in part.names])[part.labels] for part in parts]
    features = np.concatenate([part.features for part in parts])
    sources = " and ".join(part.record["source"] for part in parts)
    taught = Taught.of(features, np.concatenate(labels), names, sources, _joined_groups(parts))
    return replace(taught, notes=tuple(note for part in parts for note in part.notes))


def _joined_groups(parts: Sequence[Taught]) -> "NDArray[np.int64]":
    """Return the groups of all `parts`; equal features in two of them are of one picture."""
    numbers: dict[tuple[int, int], int] = {}  # by part and group
    known: dict[bytes, int] = {}  # by features
    groups = []
    for at, part in enumerate(parts):
        for features, group in zip(part.features, part.groups.tolist(), strict=True):
            content = features.tobytes()
            number = numbers.setdefault((at, group), known.get(content, len(numbers)))
            groups.append(number)
            known.setdefault(content, number)
    return np.array(groups, np.int64)
