"""Compaction: many small result objects become few large ones.

A large object is written before the small ones that it replaces are deleted. In between, a reader
finds rows twice, equal in every column (`select distinct` hides it), and at no moment a row not at
all. An interrupted compaction is completed by the next one, or tidied up by the next run.
"""

import hashlib
import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Final

from seefood.errors import UsageError
from seefood.records import DIGEST_SHOWN
from seefood.results.deduplicate import deduplicate
from seefood.results.files import RESULTS, decode_rows, list_parts, part_format, reading_part
from seefood.storage import open_store
from seefood.storage.uris import Location, parse_location

_READERS: Final = 16
ROWS: Final = 200_000


@dataclass(frozen=True, slots=True)
class Compaction:
    """What a compaction did."""

    before: int
    """Result objects that were there."""
    after: int
    rows: int
    """Rows that moved."""


@dataclass(frozen=True, slots=True)
class _Part:
    location: Location
    data: bytes
    rows: int


def compact(output: Location, digest: str, rows: int = ROWS) -> Compaction:
    """Merge the model's small result objects into ones of about `rows` rows; uploads stay.

    The caller holds the lease of `output`, so that no run writes there meanwhile. Raises
    `UsageError` if there are no results, `JobError` for an object that holds something else.
    """
    deduplicate(output, digest)  # what an interrupted compaction left twice
    parts = _parts(output, digest)
    if not parts:
        raise UsageError(f"there are no results of {digest} below {output.uri}")
    merged = [
        _merge(output, digest, group)
        for _, same in groupby(sorted(parts, key=_form), key=_form)
        for group in _groups(same, rows)
    ]
    return Compaction(len(parts), len(_parts(output, digest)), sum(merged))


def digests(output: Location) -> list[str]:
    """Return the models, by the beginning of their digests, that have results below `output`."""
    found = {part.uri.rpartition("digest=")[2][:DIGEST_SHOWN] for part in list_parts(output)}
    return sorted(found)


def _parts(output: Location, digest: str) -> list[str]:
    results = f"{output.child(RESULTS).uri}/"
    return [part.uri for part in list_parts(output, digest) if part.uri.startswith(results)]


def _form(uri: str) -> str:
    return part_format(uri) or ""


def _groups(uris: Iterator[str], rows: int) -> Iterator[list[_Part]]:
    """Yield parts that belong together: small ones, about `rows` rows in all, at least two."""
    group: list[_Part] = []
    with ThreadPoolExecutor(_READERS) as pool:
        while some := list(islice(uris, 4 * _READERS)):
            for part in pool.map(_read, some):
                if part.rows > rows // 2:
                    continue
                group.append(part)
                if sum(item.rows for item in group) >= rows:
                    yield group
                    group = []
    if len(group) > 1:
        yield group


def _merge(output: Location, digest: str, group: Sequence[_Part]) -> int:
    """Write one object of the group's rows, then delete the group; return how many rows moved."""
    form = _form(group[0].location.uri)
    names = sorted(part.location.key.rpartition("/")[2] for part in group)
    name = hashlib.sha256("\n".join(names).encode()).hexdigest()[:32]
    folder = output.child(f"{RESULTS}/digest={digest[:DIGEST_SHOWN]}")
    target = folder.child(f"part-{name}.{form}")
    store = open_store(target.root)
    store.write(target.key, _joined([part.data for part in group], form))
    with ThreadPoolExecutor(_READERS) as pool:
        list(pool.map(lambda part: store.delete(part.location.key), group))
    return sum(part.rows for part in group)


def _read(uri: str) -> _Part:
    location = parse_location(uri)
    data = open_store(location.root).read(location.key)
    with reading_part(uri):
        return _Part(location, data, _count(data, _form(uri)))


def _count(data: bytes, form: str) -> int:
    if form == "parquet":
        import pyarrow.parquet as pq  # noqa: PLC0415 (100 ms, and only here)

        return int(pq.read_metadata(io.BytesIO(data)).num_rows)
    return sum(1 for _ in decode_rows(data, form))


def _joined(parts: Sequence[bytes], form: str) -> bytes:
    """Return one object's bytes; Parquet's rows sorted by URI, for readers that skip."""
    if form == "parquet":
        import pyarrow as pa  # noqa: PLC0415 (as above)
        import pyarrow.parquet as pq  # noqa: PLC0415

        table = pa.concat_tables([pq.read_table(io.BytesIO(data)) for data in parts])
        sink = io.BytesIO()
        pq.write_table(table.sort_by("uri"), sink, compression="zstd")
        return sink.getvalue()
    if form == "csv":
        return parts[0] + b"".join(part.partition(b"\n")[2] for part in parts[1:])
    return b"".join(parts)
