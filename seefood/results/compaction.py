"""Compaction: merges many small result objects into few large ones.

A large object is written before the small ones that it replaces are deleted. In between, readers
may briefly see rows twice, equal in every column (`select distinct` hides it), and never miss a
row. The next compaction completes an interrupted one.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Final

from seefood.errors import UsageError
from seefood.records import utc_now
from seefood.results.announced import delete_old_marks
from seefood.results.deduplicate import deduplicate
from seefood.results.files import (
    digest_of,
    list_batch_parts,
    list_parts,
    open_part,
    results_folder,
)
from seefood.results.formats import ResultFormat
from seefood.results.upload_merge import merge_uploads
from seefood.storage import open_store
from seefood.storage.uris import Location, parse_location

_READERS: Final = 16
ROWS: Final = 200_000


@dataclass(frozen=True, slots=True)
class Compaction:
    """The counts of a compaction."""

    before: int
    """Result objects before."""
    after: int
    """Result objects after."""
    rows: int
    """Rows that moved to another object; a row of an upload may move twice."""


@dataclass(frozen=True, slots=True)
class _Part:
    uri: str
    format: ResultFormat
    data: bytes
    rows: int

    @property
    def location(self) -> Location:
        return parse_location(self.uri)


def compact(
    output: Location, digest: str, rows: int = ROWS, *, keep_uploads: bool = False
) -> Compaction:
    """Merge the model's small result objects into ones of about `rows` rows.

    Those of uploads too, unless `keep_uploads`. Old marks of sent events go
    (`seefood.results.announced`).

    The caller holds the lease of `output`, so that no run writes there at the same time. Raises
    `UsageError` if there are no results, `JobError` for an object that holds something else.
    """
    before = len(list_parts(output, digest))
    if not before:
        raise UsageError(f"there are no results of {digest} below {output.uri}")
    moved = 0 if keep_uploads else merge_uploads(output, digest)
    deduplicate(output, digest)  # an interrupted compaction leaves duplicates
    uris = [part.uri for part in list_batch_parts(output, digest)]
    folder = results_folder(output, digest)
    for _, same_suffix in groupby(sorted(uris, key=_suffix), key=_suffix):
        for group in _groups(same_suffix, rows):
            moved += _merge(folder, group)
    delete_old_marks(output, digest, utc_now())
    return Compaction(before, len(list_parts(output, digest)), moved)


def digests(output: Location) -> list[str]:
    """Return the models, by the beginning of their digests, that have results below `output`."""
    return sorted({digest_of(part.uri) for part in list_parts(output)})


def _suffix(uri: str) -> str:
    return uri.rpartition(".")[2]


def _groups(uris: Iterable[str], rows: int) -> Iterator[list[_Part]]:
    """Yield groups of small parts to merge: each of about `rows` rows, at least two parts."""
    group: list[_Part] = []
    remaining = iter(uris)
    with ThreadPoolExecutor(_READERS) as pool:
        while batch := list(islice(remaining, 4 * _READERS)):
            for part in pool.map(_read, batch):
                if part.rows > rows // 2:
                    continue
                group.append(part)
                if sum(item.rows for item in group) >= rows:
                    yield group
                    group = []
    if len(group) > 1:
        yield group


def _read(uri: str) -> _Part:
    with open_part(uri) as (part_format, data):
        return _Part(uri, part_format, data, part_format.count(data))


def _merge(folder: Location, group: Sequence[_Part]) -> int:
    """Write one object of the group's rows, then delete the group; return how many rows moved."""
    part_format = group[0].format
    names = sorted(part.uri.rpartition("/")[2] for part in group)
    identity = hashlib.sha256("\n".join(names).encode()).hexdigest()[:32]
    target = folder.child(f"part-{identity}.{part_format.name}")
    store = open_store(target.root)
    store.write(target.key, part_format.merge([part.data for part in group]))
    with ThreadPoolExecutor(_READERS) as pool:
        list(pool.map(lambda part: store.delete(part.location.key), group))
    return sum(part.rows for part in group)
