"""Chunks: the unit of work, of writing, and of what a crash can lose.

A chunk is a few hundred references. Its rows become one result object whose name is derived from
the references, so classifying a chunk twice leaves one object.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol

from seefood.errors import JobError
from seefood.features.files import write_part_features
from seefood.records import ImageRef, Row
from seefood.results.files import encode_rows, part_location
from seefood.results.totals import Totals, count_rows
from seefood.runs.run_spec import ChunkSize, RunSpec
from seefood.storage import write

FIRST_CHUNK: Final = 16
"""The first chunk is small, so that the first rows are written soon."""


class ChunkClassifier(Protocol):
    """Classifies the pictures of a chunk."""

    @property
    def engine_name(self) -> str:
        """The `engine` column of its rows."""

    def classify(self, refs: Sequence[ImageRef]) -> list[Row]:
        """Return one row for each of `refs`, in order."""


def chunk_refs(refs: Iterable[ImageRef], size: ChunkSize) -> Iterator[list[ImageRef]]:
    """Yield `refs` in chunks, in order; lazily, so that work starts before listing ends."""
    chunk: list[ImageRef] = []
    chunk_bytes, max_pictures = 0, min(FIRST_CHUNK, size.pictures)
    for ref in refs:
        chunk.append(ref)
        chunk_bytes += ref.size_bytes
        if len(chunk) >= max_pictures or chunk_bytes >= size.size_bytes:
            yield chunk
            chunk, chunk_bytes, max_pictures = [], 0, size.pictures
    if chunk:
        yield chunk


def classify_chunk(refs: Sequence[ImageRef], worker: ChunkClassifier, run: RunSpec) -> Totals:
    """Classify `refs`, write their rows as one result object and return their counts.

    Atomic and idempotent. Raises `JobError` if the object cannot be written or a row is missing.
    """
    rows = worker.classify(refs)
    if len(rows) != len(refs):
        raise JobError(
            f"a chunk of {len(refs)} pictures gave {len(rows)} rows; nothing of it was written; "
            "please report this with the run's log"
        )
    file_format = run.options.file_format
    data = encode_rows(rows, file_format)
    part = part_location(run.output, run.digest, refs, file_format)
    if run.options.classify.features:
        write_part_features(part, run.output, run.digest, rows)  # before the rows; see there
    write(part, data)
    return count_rows(rows)
