"""Reads the rows of a whole output: of batch jobs and uploads, of any format, in any store.

    rows = open_rows(parse_location("s3://labels/2026"))
    for batch in rows.batches(("uri", "etag", "label", "score")):
        ...  # a pyarrow.RecordBatch

One row a picture: of several rows the newest counts (`seefood.results.newest`). Rows are read
object by object, twice: for the keys when the output is opened, and for the columns that a caller
asks for. Memory is bounded by 40 bytes a row, the objects in flight and one batch.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from seefood.errors import UsageError
from seefood.nearest import nearest_path
from seefood.records import ImageRef, Row
from seefood.results.arrow import rows_of
from seefood.results.columns import COLUMNS
from seefood.results.files import PartGoneError, digest_of, list_parts, open_part
from seefood.results.formats.base import BATCH_ROWS
from seefood.results.newest import KEY_COLUMNS, RowKeys, find_replaced
from seefood.storage.uris import Location

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_READERS: Final = 16
_LISTINGS: Final = 20
"""How often compactions may replace objects while their rows are read."""
_AHEAD_BYTES: Final = 32 * 1024 * 1024
"""Objects that are read ahead have at most this many bytes together."""
_SMALL_BYTES: Final = 2 * 1024 * 1024
"""A larger object is read batch by batch when its turn comes."""


@dataclass(frozen=True, slots=True)
class OutputRows:
    """The rows of an output, one a picture, as they were when it was opened."""

    output: Location
    parts: tuple[ImageRef, ...]
    """The result objects, sorted by URI."""
    count: int
    """The number of rows."""
    replaced: "Mapping[str, NDArray[np.int64]]" = field(repr=False)
    """The positions of the rows that are left out, by the object's URI."""

    @property
    def digests(self) -> tuple[str, ...]:
        """The models, by the beginnings of their digests, sorted."""
        return tuple(sorted({digest_of(part.uri) for part in self.parts}))

    def batches(self, columns: Sequence[str] | None = None) -> "Iterator[pa.RecordBatch]":
        """Yield all rows as batches of at most 8192, with the columns `columns` in that order.

        The types are those of `seefood.results.arrow.arrow_schema`. Raises `JobError` if an object
        is gone since the output was opened, or cannot be read.
        """
        names = columns or [column.name for column in COLUMNS]
        kept = ((part, self._kept(part, names)) for part in self.parts)
        return _joined(batch for _, batches in read_ahead(kept) for batch in batches)

    def _kept(self, part: ImageRef, names: Sequence[str]) -> "Iterator[pa.RecordBatch]":
        """Yield the batches of one object without the rows that are left out."""
        replaced = self.replaced.get(part.uri)
        first = 0
        for batch in part_batches(part.uri, names):
            is_kept = np.ones(batch.num_rows, dtype=np.bool_)
            if replaced is not None:
                inside = replaced[(replaced >= first) & (replaced < first + batch.num_rows)]
                is_kept[inside - first] = False
            first += batch.num_rows
            yield batch if is_kept.all() else batch.take(np.flatnonzero(is_kept))


def open_rows(
    output: Location, digest: str | None = None, *, with_replaced: bool = False
) -> OutputRows:
    """Return the rows below `output`, of all models or of one: the newest row of each picture.

    A picture is a URI. With `with_replaced` it is a URI and an entity tag: contents that were
    replaced at their URI have rows too. Raises `UsageError` if there are no rows, `JobError` if an
    object cannot be read.
    """
    rows = _open(output, digest, with_replaced=with_replaced)
    if not rows.count:
        others = sorted({digest_of(part.uri) for part in list_parts(output)}) if digest else []
        if digest and others:
            raise UsageError(
                f"there are no rows of the model {digest[:12]} below {output.uri}, but of "
                f"{', '.join(others)}; give one of these, or classify with that model"
            )
        raise no_rows(output)
    return rows


def no_rows(output: Location) -> UsageError:
    """Return the error of a command that finds no rows below `output`."""
    near = nearest_path(output.key.rstrip("/")) if output.is_local else ""
    return UsageError(
        f"there are no rows below {output.uri}; give the folder or the prefix that "
        f"`seefood classify --output` wrote to{near}"
    )


def newest_rows(output: Location, digest: str | None) -> Iterator[Row]:
    """Yield the newest row of each picture, of all models or of one.

    None where nothing was written. Raises `JobError` if an object cannot be read.
    """
    for batch in _open(output, digest).batches():
        yield from rows_of(batch)


def _open(output: Location, digest: str | None, *, with_replaced: bool = False) -> OutputRows:
    parts = list_parts(output, digest)
    wanted = ((part, part_batches(part.uri, KEY_COLUMNS)) for part in parts)
    keys = [RowKeys(batches) for _, batches in read_ahead(wanted)]
    positions = find_replaced(keys, by_uri=not with_replaced)
    count = sum(map(len, keys)) - sum(each.size for each in positions)
    replaced = {part.uri: each for part, each in zip(parts, positions, strict=True) if each.size}
    return OutputRows(output, tuple(parts), count, replaced)


def part_batches(uri: str, names: Sequence[str]) -> "Iterator[pa.RecordBatch]":
    """Yield the columns `names` of one result object. Raises `JobError`."""
    with open_part(uri) as (part_format, data):
        yield from part_format.read_batches(data, names)


def batches_while_written(
    output: Location, parts: Sequence[ImageRef], names: Sequence[str]
) -> "Iterator[pa.RecordBatch]":
    """Yield the columns `names` of `parts`, and of the objects that replace some meanwhile.

    A compaction writes its large object before it deletes the small ones, so when one is gone, the
    output is listed again and what is new is read: no row is missing, some come twice. Raises
    `JobError`.
    """
    read: set[tuple[str, str]] = set()
    for listings_left in reversed(range(_LISTINGS)):
        unread = [part for part in parts if (part.uri, part.etag) not in read]
        try:
            for part, batches in read_ahead((one, part_batches(one.uri, names)) for one in unread):
                yield from batches
                read.add((part.uri, part.etag))
        except PartGoneError:
            if not listings_left:
                raise
            parts = list_parts(output)
        else:
            return


def read_ahead(
    parts: "Iterable[tuple[ImageRef, Iterator[pa.RecordBatch]]]",
) -> "Iterator[tuple[ImageRef, Iterable[pa.RecordBatch]]]":
    """Yield each object with its batches, in order; small objects are read ahead by threads.

    An object of more than `_SMALL_BYTES` is read batch by batch when its turn comes.
    """
    waiting: deque[tuple[ImageRef, Future[list[Any]]]] = deque()
    pending = 0
    with ThreadPoolExecutor(_READERS, "rows") as pool:
        try:
            for part, batches in parts:
                while waiting and (pending + part.size_bytes > _AHEAD_BYTES):
                    pending -= waiting[0][0].size_bytes
                    yield _result(waiting.popleft())
                if part.size_bytes > _SMALL_BYTES:
                    while waiting:
                        yield _result(waiting.popleft())
                    pending = 0
                    yield part, batches
                    continue
                pending += part.size_bytes
                waiting.append((part, pool.submit(list, batches)))
                if len(waiting) > 4 * _READERS:
                    pending -= waiting[0][0].size_bytes
                    yield _result(waiting.popleft())
            while waiting:
                yield _result(waiting.popleft())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _result(
    item: "tuple[ImageRef, Future[list[pa.RecordBatch]]]",
) -> "tuple[ImageRef, list[pa.RecordBatch]]":
    return item[0], item[1].result()


def _joined(batches: "Iterator[pa.RecordBatch]") -> "Iterator[pa.RecordBatch]":
    """Yield the rows in batches of at most `BATCH_ROWS`; small batches are joined.

    Each upload is an object of one row.
    """
    import pyarrow as pa  # noqa: PLC0415

    group: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        if group and size + batch.num_rows > BATCH_ROWS:
            yield pa.concat_batches(group)
            group, size = [], 0
        if batch.num_rows:
            group.append(batch)
            size += batch.num_rows
    if group:
        yield pa.concat_batches(group)
