"""Chunks: the unit of work, of writing, and of what a crash can lose.

A chunk is a few hundred references. Its rows become one result object whose name is derived from
the references, so classifying a chunk twice leaves one object.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Protocol

from seefood.classification import Model
from seefood.errors import JobError
from seefood.features.files import write_part_features
from seefood.records import ImageRef, Row
from seefood.results.files import PartGoneError, encode_rows, part_location, read_part
from seefood.results.ledger import TRANSIENT
from seefood.results.totals import Totals, count_rows
from seefood.runs.run_spec import ChunkSize
from seefood.storage import write
from seefood.storage.uris import Location

FIRST_CHUNK: Final = 16
"""The first chunk is small, so that the first rows are written soon."""


class ChunkClassifier(Protocol):
    """Classifies the pictures of a chunk."""

    @property
    def engine_name(self) -> str:
        """The `engine` column of its rows."""

    @property
    def model(self) -> Model:
        """The model of its rows."""

    def start(
        self, refs: Sequence[ImageRef], contents: Sequence[bytes | None] = ()
    ) -> Callable[[], list[Row]]:
        """Begin `refs`; return the function that waits for one row for each, in order.

        `contents` are their bytes, None for one that is to be fetched; without it all are fetched.
        """


class Chunker:
    """Groups references, in order, into chunks."""

    def __init__(self, size: ChunkSize) -> None:
        self._size = size
        self._max_pictures = min(FIRST_CHUNK, size.pictures)
        self._chunk: list[ImageRef] = []
        self._size_bytes = 0

    def add(self, ref: ImageRef) -> list[ImageRef] | None:
        """Add a reference; return the chunk if it is full."""
        self._chunk.append(ref)
        self._size_bytes += ref.size_bytes
        is_full = (
            len(self._chunk) >= self._max_pictures or self._size_bytes >= self._size.size_bytes
        )
        return self.rest() if is_full else None

    def rest(self) -> list[ImageRef]:
        """Return the references that are in no chunk yet, and begin a new chunk."""
        chunk, self._chunk, self._size_bytes = self._chunk, [], 0
        self._max_pictures = self._size.pictures
        return chunk


def chunk_refs(refs: Iterable[ImageRef], size: ChunkSize) -> Iterator[list[ImageRef]]:
    """Yield `refs` in chunks, in order; lazily, so that work starts before listing ends."""
    chunker = Chunker(size)
    for ref in refs:
        if chunk := chunker.add(ref):
            yield chunk
    if chunk := chunker.rest():
        yield chunk


def checked_rows(refs: Sequence[ImageRef], rows: list[Row]) -> list[Row]:
    """Return `rows`. Raises `JobError` unless there is one for each of `refs`."""
    if len(rows) != len(refs):
        raise JobError(
            f"a chunk of {len(refs)} pictures gave {len(rows)} rows; nothing of it was written; "
            "please report this with the run's log"
        )
    return rows


def write_chunk(rows: Sequence[Row], output: Location, file_format: str) -> Totals:
    """Write the rows of a chunk as one result object of their model and return their counts.

    Atomic and idempotent: the object's name depends on the pictures and the model alone. A picture
    that fails for a transient reason keeps the row that the object has. Raises `JobError` if it
    cannot be written.
    """
    digest = rows[0].model_digest
    part = part_location(output, digest, rows, file_format)
    data = encode_rows(_with_earlier(rows, part), file_format)
    write_part_features(part, output, digest, rows)  # before the rows; see there
    write(part, data)
    return count_rows(rows)


def _with_earlier(rows: Sequence[Row], part: Location) -> Sequence[Row]:
    """Return `rows`, those with transient failures replaced by the rows that `part` has.

    A repeated bundle, `--force` or `--features` writes the same pictures again.
    """
    if not any(row.error_code in TRANSIENT for row in rows):
        return rows
    try:
        earlier = {(row.uri, row.etag, row.version_id): row for row in read_part(part.uri)}
    except PartGoneError:
        return rows
    return [
        earlier.get((row.uri, row.etag, row.version_id), row)
        if row.error_code in TRANSIENT
        else row
        for row in rows
    ]
