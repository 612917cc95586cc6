"""The pictures that an audit is about: those that one model has labelled in one output."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from seefood.audit.hypergeometric import Floats
from seefood.errors import UsageError
from seefood.label_sets import is_several, set_column, set_labels
from seefood.results.output_rows import open_rows
from seefood.storage.uris import Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

Codes = NDArray[np.int64]

_COLUMNS: Final = ("uri", "etag", "label", "labels", "score", "top", "size_bytes")
_WRAP: Final = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Picture:
    """One labelled picture."""

    uri: str
    etag: str
    said: str
    """The text of the labels that the model gave (`seefood.label_sets`)."""
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
    sets: tuple[str, ...]
    """The texts of the sets of labels that the model gave (`seefood.label_sets`), sorted. A model
    of one label a picture gives sets of one."""
    said: Codes = field(repr=False)
    """The set of each picture, as an index of `sets`."""
    scores: Floats = field(repr=False)
    """How probable it is, by the model, that the set is right."""
    sizes: Codes = field(repr=False)
    """In bytes."""
    failed: int

    def __len__(self) -> int:
        return len(self.uris)

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels of the sets, sorted."""
        return tuple(sorted({label for text in self.sets for label in set_labels(text)}))

    @property
    def has_several(self) -> bool:
        """Whether the model gave a picture several labels, or none."""
        return any(map(is_several, self.sets))

    def picture(self, index: int) -> Picture:
        """Return one picture."""
        return Picture(
            self.uris[index],
            self.etags[index],
            self.sets[self.said[index]],
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
            total += _hash_of_row(uri, etag, self.sets[code], score)
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
        for uri, etag, text, score, size in _pictures(batch):
            if text is None or score is None:
                failed += 1
                continue
            uris.append(uri)
            etags.append(etag)
            said.append(codes.setdefault(text, len(codes)))
            scores.append(score)
            sizes.append(size)
    if not uris:
        raise UsageError(f"no picture below {output.uri} has a label; there is nothing to audit")
    names = sorted(codes)
    sorted_codes = {text: code for code, text in enumerate(names)}
    place = np.array([sorted_codes[text] for text in codes])
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
    for batch in open_rows(output, digest).batches(_COLUMNS):
        for uri, etag, text, score, _ in _pictures(batch):
            if text is not None and score is not None:
                total += _hash_of_row(uri, etag, text, score)
    return _fingerprint(total)


def _pictures(
    batch: "pa.RecordBatch",
) -> "Iterator[tuple[str, str, str | None, float | None, int]]":
    """Yield uri, etag, the text of the labels, how probable they are, and the size in bytes."""
    texts = set_column(batch).to_pylist()
    scores = batch["score"].to_pylist()
    if batch["labels"].null_count < batch.num_rows:
        each = zip(batch["labels"].to_pylist(), batch["top"].to_pylist(), scores, strict=True)
        scores = [score if own is None else _joint(own, top or ()) for own, top, score in each]
    columns = [batch[name].to_pylist() for name in ("uri", "etag", "size_bytes")]
    for uri, etag, size, text, score in zip(*columns, texts, scores, strict=True):
        yield uri, etag, text, score, size


def _joint(labels: Sequence[str], top: Sequence[Mapping[str, Any]]) -> float:
    """Return the probability that exactly these labels hold, as if they were independent.

    Labels that `top` left out do not count.
    """
    chances = ((item["label"] in labels, float(item["score"])) for item in top)
    return prod(score if holds else 1 - score for holds, score in chances)


def _hash_of_row(uri: str, etag: str, said: str, score: float) -> int:
    return _hash([uri, etag, said, f"{score:.6f}"])


def _fingerprint(total: int) -> str:
    return f"{total & _WRAP:016x}"


def _hash(parts: list[object]) -> int:
    text = json.dumps(parts).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest())
