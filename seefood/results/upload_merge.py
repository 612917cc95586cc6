"""Merges the rows of uploads, which the Lambda writes one to an object, into result objects.

The Lambda may run meanwhile, and takes no lease. It creates an object for a row, and overwrites it
only while its row is of a transient failure (`seefood.results.ledger.TRANSIENT`). Such objects stay
as they are, so what is deleted here is what was read. A delivery that comes again later creates the
object again: readers take one row of each picture, the final one before a transient one, and the
next merge removes it.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Final

from seefood.records import Row
from seefood.results.files import (
    PartGoneError,
    encode_rows,
    list_upload_parts,
    part_location,
    read_part,
)
from seefood.results.ledger import TRANSIENT
from seefood.storage import open_store, write
from seefood.storage.uris import Location, parse_location

_READERS: Final = 16
_ROWS: Final = 20_000  # of one object, in memory; compaction merges the objects further
_FORMAT: Final = "parquet"


def merge_uploads(output: Location, digest: str) -> int:
    """Move the rows of the model's uploads to objects of batch results; return how many.

    Each object is written before those that it replaces are deleted. The caller holds the lease of
    `output`. Raises `JobError` for an object that holds something else.
    """
    moved = 0
    uris = iter([part.uri for part in list_upload_parts(output, digest)])
    with ThreadPoolExecutor(_READERS) as pool:
        final = _final_rows(pool, uris)
        while group := list(islice(final, _ROWS)):
            rows = [row for _, row in group]
            write(part_location(output, digest, rows, _FORMAT), encode_rows(rows, _FORMAT))
            list(pool.map(_delete, [uri for uri, _ in group]))
            moved += len(rows)
    return moved


def _final_rows(pool: ThreadPoolExecutor, uris: Iterator[str]) -> Iterator[tuple[str, Row]]:
    """Yield each object that the Lambda does not write again, with its row."""
    while some := list(islice(uris, 64 * _READERS)):
        for uri, rows in zip(some, pool.map(_read, some), strict=True):
            if len(rows) == 1 and rows[0].error_code not in TRANSIENT:
                yield uri, rows[0]


def _read(uri: str) -> Sequence[Row]:
    try:
        return list(read_part(uri))
    except PartGoneError:
        return ()  # the Lambda has removed the row with its picture


def _delete(uri: str) -> None:
    location = parse_location(uri)
    open_store(location.root).delete(location.key)
