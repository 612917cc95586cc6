"""The most similar pictures of an output, with their final labels, and filters on them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from seefood.corrections import FINAL_COLUMNS, apply_corrections, read_corrections
from seefood.errors import UsageError
from seefood.features.places import VectorPlaces
from seefood.features.stored import load_vectors
from seefood.label_sets import set_column, set_labels
from seefood.likeness.search import Likeness, nearest
from seefood.nearest import did_you_mean
from seefood.records import ImageRef
from seefood.results.arrow_numbers import numbers
from seefood.results.output_rows import open_rows
from seefood.vectors import scaled

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from seefood.storage.uris import Location
    from seefood.vectors import Features

_UNKNOWN = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Filters:
    """Which pictures may be found."""

    labels: Collection[str] = ()
    """Final labels, of which a picture has one; empty is any."""
    since: datetime | None = None
    """Of the time of exposure; pictures without one are left out if a time is given."""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A similar picture."""

    ref: ImageRef
    similarity: float
    """The cosine between centred features, in [-1, 1]."""
    label: str | None
    """The final one: a person's, else the model's."""
    score: float | None

    def as_json(self) -> dict[str, Any]:
        """Return the picture as `like --json` prints it."""
        return {
            "uri": self.ref.uri,
            "similarity": round(self.similarity, 4),
            "label": self.label,
            "score": self.score,
        }


class SimilarPictures:
    """The pictures of an output that have features of one model and a row."""

    def __init__(self, output: "Location", digest: str) -> None:
        """Read features and rows. Raises `UsageError` without any, `JobError` as reading does."""
        vectors = load_vectors(output, digest)
        self._rows = _Rows(output, digest, VectorPlaces(vectors))
        self._likeness = Likeness(vectors)

    def __len__(self) -> int:
        return int(self._rows.is_known.sum())

    def features_of(self, uri: str) -> "Features":
        """Return the features of the picture `uri`. Raises `UsageError` if it has none."""
        vectors = self._likeness.vectors
        at = self._rows.place_of(uri)
        if at is None:
            raise UsageError(
                f"{uri} has no features there; name a picture that has a row, or a file"
            )
        features: Features = scaled(vectors.values[at : at + 1], vectors.scales[at : at + 1])[0]
        return features

    def find(self, query: "Features", count: int, filters: Filters = Filters()) -> list[Match]:
        """Return at most `count` pictures that pass `filters`, the most similar first."""
        similarities = self._likeness.similarities(query)
        similarities[~self._rows.passing(filters)] = -np.inf
        order = nearest(similarities, count)
        return [
            self._rows.match(int(at), float(similarities[at]))
            for at in order
            if np.isfinite(similarities[at])
        ]


class _Rows:
    """What is known of the picture of each vector, in the vectors' order."""

    def __init__(self, output: "Location", digest: str, places: VectorPlaces) -> None:
        count = len(places)
        self.is_known = np.zeros(count, np.bool_)
        self._labels = np.full(count, -1, np.int32)
        self._names: dict[str, int] = {}
        self._sets = np.full(count, -1, np.int32)
        self._set_codes: dict[str, int] = {}
        self._scores = np.full(count, np.nan, np.float32)
        self._taken = np.full(count, _UNKNOWN)
        self._sizes = np.zeros(count, np.int64)
        self._uris = np.empty(count, object)
        self._etags = np.empty(count, object)
        corrections = read_corrections(output)
        columns = ["uri", "etag", "label", "labels", "score", "taken_at", "size_bytes"]
        columns += [name for name in FINAL_COLUMNS if corrections and name not in columns]
        batches = open_rows(output, digest).batches(columns)
        if corrections:
            batches = apply_corrections(batches, corrections)
        for batch in batches:
            self._add(batch, places.find(batch["uri"].to_pylist(), batch["etag"].to_pylist()))

    def _add(self, batch: "pa.RecordBatch", places: "NDArray[np.int64]") -> None:
        known = np.flatnonzero(places >= 0)
        at = places[known]
        labels, sets = batch["label"].to_pylist(), set_column(batch).to_pylist()
        uris, etags = batch["uri"].to_pylist(), batch["etag"].to_pylist()
        self.is_known[at] = True
        for row, place in zip(known.tolist(), at.tolist(), strict=True):
            self._uris[place], self._etags[place] = uris[row], etags[row]
            if (label := labels[row]) is not None:
                self._labels[place] = self._names.setdefault(label, len(self._names))
            if (text := sets[row]) is not None:
                self._sets[place] = self._set_codes.setdefault(text, len(self._set_codes))
        self._scores[at] = numbers(batch["score"], np.nan)[known]
        self._sizes[at] = numbers(batch["size_bytes"])[known]
        self._taken[at] = numbers(batch["taken_at"], _UNKNOWN)[known]

    def place_of(self, uri: str) -> int | None:
        """Return the index of the vector of the picture `uri`."""
        found = np.flatnonzero(self._uris == uri)
        return int(found[0]) if found.size else None

    def passing(self, filters: Filters) -> "NDArray[np.bool_]":
        """Return which pictures pass. Raises `UsageError` for a label that no picture has."""
        kept = self.is_known.copy()
        sets = {text: set_labels(text) for text in self._set_codes}
        known = sorted({label for labels in sets.values() for label in labels})
        for label in filters.labels:
            if label not in known:
                shown = ", ".join(known[:8])
                near = did_you_mean(label, known)
                raise UsageError(f"no picture has the label {label!r}; there are {shown}{near}")
        if filters.labels:
            wanted = set(filters.labels)
            codes = [code for text, code in self._set_codes.items() if wanted & set(sets[text])]
            kept &= np.isin(self._sets, codes)
        if filters.since is not None:
            kept &= self._taken >= int(filters.since.timestamp() * 1000)
        if filters.until is not None:
            kept &= (self._taken != _UNKNOWN) & (
                self._taken < int(filters.until.timestamp() * 1000)
            )
        return kept

    def match(self, at: int, similarity: float) -> Match:
        """Return the picture of a vector."""
        names = list(self._names)
        label, score = int(self._labels[at]), float(self._scores[at])
        return Match(
            ImageRef(self._uris[at], self._etags[at], int(self._sizes[at])),
            similarity,
            names[label] if label >= 0 else None,
            None if np.isnan(score) else round(score, 6),
        )
