"""Leaves one row for each picture: a newer row replaces an older one.

Older rows are removed after the newer ones were written, so readers may briefly see a picture
twice and never miss it. `seefood.results.newest` decides which row stays. If a run is
killed before it has removed the older rows, the next run removes them.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Final

from seefood.results.files import list_batch_parts, open_part
from seefood.results.newest import KEY_COLUMNS, RowKeys, find_replaced
from seefood.results.output_rows import part_batches
from seefood.storage import open_store, write
from seefood.storage.uris import Location, parse_location

_READERS: Final = 16


def deduplicate(output: Location, digest: str) -> int:
    """Leave only the latest row of each picture of this model; return how many were removed.

    Idempotent. Each result object is replaced or deleted as a whole, after the newer rows were
    written. Raises `JobError`.
    """
    parts = [part.uri for part in list_batch_parts(output, digest)]
    if not parts:
        return 0
    with ThreadPoolExecutor(_READERS) as pool:
        keys = list(pool.map(_keys, parts))
    removed = find_replaced(keys)
    for uri, indices, each in zip(parts, removed, keys, strict=True):
        if indices.size:
            remove_rows(uri, set(indices.tolist()), len(each))
    return sum(indices.size for indices in removed)


def _keys(uri: str) -> RowKeys:
    return RowKeys(list(part_batches(uri, KEY_COLUMNS)))


def remove_rows(uri: str, indices: set[int], size: int) -> None:
    """Remove the rows at `indices` from an object of `size` rows; without rows it is deleted."""
    location = parse_location(uri)
    if len(indices) == size:
        open_store(location.root).delete(location.key)
        return
    with open_part(uri) as (part_format, data):
        remaining = part_format.remove(data, indices)
    write(location, remaining)
