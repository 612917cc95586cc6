"""Chunks: the unit of work, of writing, and of what a crash can lose.

A chunk is a few hundred references. A worker takes it from listing to one result object that is
named by its content, so doing it twice leaves the same object with the same rows.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from seefood.errors import JobError
from seefood.records import ImageRef
from seefood.results.files import Format, encode_rows, part_location
from seefood.results.totals import Totals, count_rows
from seefood.storage import write
from seefood.storage.uris import Location
from seefood.workers.threaded import ChunkClassifier

FIRST_CHUNK: Final = 64
"""The first chunk is small, so that the first rows are soon there to look at."""


@dataclass(frozen=True, slots=True)
class ChunkSize:
    """When a chunk is full: whichever comes first."""

    pictures: int = 512
    size_bytes: int = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows go and under which name."""

    output: Location
    digest: str
    form: Format = "parquet"


def chunk_refs(refs: Iterable[ImageRef], size: ChunkSize = ChunkSize()) -> Iterator[list[ImageRef]]:
    """Yield `refs` in chunks, in order; lazily, so that work starts before listing ends."""
    chunk: list[ImageRef] = []
    held, most = 0, min(FIRST_CHUNK, size.pictures)
    for ref in refs:
        chunk.append(ref)
        held += ref.size_bytes
        if len(chunk) >= most or held >= size.size_bytes:
            yield chunk
            chunk, held, most = [], 0, size.pictures
    if chunk:
        yield chunk


def classify_chunk(refs: Sequence[ImageRef], worker: ChunkClassifier, target: Target) -> Totals:
    """Classify `refs`, write their rows as one object and return what was counted.

    Atomic and idempotent. Raises `JobError` if the object cannot be written, or if a row is
    missing: rows in are rows out.
    """
    rows = worker.classify(refs)
    if len(rows) != len(refs):
        raise JobError(
            f"a chunk of {len(refs)} pictures gave {len(rows)} rows; nothing of it was written; "
            "please report this with the run's log"
        )
    data = encode_rows(rows, target.form)
    write(part_location(target.output, target.digest, refs, target.form), data)
    return count_rows(rows)
