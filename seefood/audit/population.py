"""The pictures that an audit is about: those that one model has labelled in one output."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seefood.audit.hypergeometric import Floats
from seefood.errors import UsageError
from seefood.results.output_rows import open_rows
from seefood.storage.uris import Location

Codes = NDArray[np.int64]

_COLUMNS: Final = ("uri", "etag", "label", "score", "size_bytes")
_WRAP: Final = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Picture:
    """One labelled picture."""

    uri: str
    etag: str
    label: str
    score: float
    size_bytes: int

    @property
    def key(self) -> tuple[str, str]:
        """The picture as corrections name it."""
        return self.uri, self.etag


@dataclass(frozen=True)
class Population:
    """All labelled pictures of an output; failed ones are only counted."""

    digest: str
    """The first digits of the model's digest."""
    uris: list[str] = field(repr=False)
    etags: list[str] = field(repr=False)
    labels: tuple[str, ...]
    """The labels that the model gave, sorted."""
    said: Codes = field(repr=False)
    """The label of each picture, as an index of `labels`."""
    scores: Floats = field(repr=False)
    sizes: Codes = field(repr=False)
    """In bytes."""
    failed: int

    def __len__(self) -> int:
        return len(self.uris)

    def picture(self, index: int) -> Picture:
        """Return one picture."""
        return Picture(
            self.uris[index],
            self.etags[index],
            self.labels[self.said[index]],
            float(self.scores[index]),
            int(self.sizes[index]),
        )

    @property
    def errors(self) -> Floats:
        """The probability of an error of each picture, as its calibrated score states it."""
        return np.clip(1.0 - self.scores, 0.0, 1.0)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all pictures with their labels and scores, whatever their order."""
        total = 0
        for item in zip(self.uris, self.etags, self.said.tolist(), self.scores, strict=True):
            uri, etag, code, score = item
            total += _hash_of_row(uri, etag, self.labels[code], score)
        return _fingerprint(total)

    def shuffled(self, seed: int) -> Codes:
        """Return all indices in a random order that depends on the seed and the pictures alone."""
        pairs = zip(self.uris, self.etags, strict=True)
        keys = np.array([_hash([seed, uri, etag]) for uri, etag in pairs], dtype=np.uint64)
        return np.argsort(keys, kind="stable")


def read_population(output: Location, digest: str | None = None) -> Population:
    """Return the labelled pictures below `output`, of its only model or of the one with `digest`.

    Raises `UsageError` if there are none, or rows of several models and no `digest`.
    """
    rows = open_rows(output, digest)
    if len(rows.digests) > 1:
        raise UsageError(
            f"{output.uri} has rows of the models {', '.join(rows.digests)}; "
            "choose one with --model-digest"
        )
    codes: dict[str, int] = {}
    uris: list[str] = []
    etags: list[str] = []
    said: list[int] = []
    scores: list[float] = []
    sizes: list[int] = []
    failed = 0
    for batch in rows.batches(_COLUMNS):
        columns = [batch.column(index).to_pylist() for index in range(len(_COLUMNS))]
        for uri, etag, label, score, size in zip(*columns, strict=True):
            if label is None or score is None:
                failed += 1
                continue
            uris.append(uri)
            etags.append(etag)
            said.append(codes.setdefault(label, len(codes)))
            scores.append(score)
            sizes.append(size)
    if not uris:
        raise UsageError(f"no picture below {output.uri} has a label; there is nothing to audit")
    names = sorted(codes)
    place = np.array([names.index(label) for label in codes])
    return Population(
        rows.digests[0],
        uris,
        etags,
        tuple(names),
        place[np.array(said)],
        np.array(scores, dtype=np.float64),
        np.array(sizes, dtype=np.int64),
        failed,
    )


def read_fingerprint(output: Location, digest: str) -> str:
    """Return the fingerprint of the population of a model, in bounded memory."""
    total = 0
    for batch in open_rows(output, digest).batches(_COLUMNS[:4]):
        columns = [batch.column(index).to_pylist() for index in range(4)]
        for uri, etag, label, score in zip(*columns, strict=True):
            if label is not None and score is not None:
                total += _hash_of_row(uri, etag, label, score)
    return _fingerprint(total)


def _hash_of_row(uri: str, etag: str, label: str, score: float) -> int:
    return _hash([uri, etag, label, f"{score:.6f}"])


def _fingerprint(total: int) -> str:
    return f"{total & _WRAP:016x}"


def _hash(parts: list[object]) -> int:
    text = json.dumps(parts).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest())
