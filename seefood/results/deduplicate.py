"""Leaves one row for each picture: a newer row replaces an older one.

Older rows are removed after the newer ones were written, so readers may briefly see a picture
twice and never miss it. Of two rows the one with the later `classified_at` stays. If a run is
killed before it has removed the older rows, the next run removes them.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import numpy as np

from seefood.results.files import list_batch_parts, open_part, read_part
from seefood.results.ledger import KEY_BYTES, TRANSIENT, ledger_key
from seefood.storage import open_store, write
from seefood.storage.uris import Location, parse_location

if TYPE_CHECKING:
    from numpy.typing import NDArray

_READERS: Final = 16
_LONG_AGO: Final = 1 << 50
"""Milliseconds: more than the time of any row."""


def deduplicate(output: Location, digest: str) -> int:
    """Leave only the latest row of each picture of this model; return how many were removed.

    Idempotent. Each result object is replaced or deleted as a whole, after the newer rows were
    written. Raises `JobError`.
    """
    parts = [part.uri for part in list_batch_parts(output, digest)]
    if not parts:
        return 0
    with ThreadPoolExecutor(_READERS) as pool:
        rows = list(pool.map(_keys_and_times, parts))
    keys = np.concatenate([key for key, _ in rows])
    times = np.concatenate([moment for _, moment in rows])
    sizes = [len(key) for key, _ in rows]
    part_of = np.repeat(np.arange(len(parts)), sizes)
    index = np.concatenate([np.arange(size) for size in sizes])
    # Sorted by picture, then by time: of equal neighbours the last one stays. The part decides
    # between equal times, so that every run decides alike.
    order = np.lexsort((index, part_of, times, keys))
    older = order[:-1][keys[order[1:]] == keys[order[:-1]]]
    for part in np.unique(part_of[older]):
        indices = set(index[older[part_of[older] == part]].tolist())
        _remove(parts[part], indices, sizes[part])
    return int(older.size)


def _keys_and_times(uri: str) -> "tuple[NDArray[np.bytes_], NDArray[np.int64]]":
    """Return the key and the time, in milliseconds, of each row of one result object.

    A transient failure is older than any other row, whatever its time: clocks jump, and the ledger
    would try the picture again on every run.
    """
    keys = []
    times = []
    columns = ("uri", "etag", "classified_at", "error_code")
    for name, etag, classified_at, code in read_part(uri, columns):
        keys.append(ledger_key(name, etag))
        moment = round(classified_at.timestamp() * 1000)
        times.append(moment - _LONG_AGO if code in TRANSIENT else moment)
    return np.array(keys, dtype=f"S{KEY_BYTES}"), np.array(times, dtype=np.int64)


def _remove(uri: str, indices: set[int], size: int) -> None:
    """Remove the rows at `indices` from an object of `size` rows; without rows it is deleted."""
    location = parse_location(uri)
    if len(indices) == size:
        open_store(location.root).delete(location.key)
        return
    with open_part(uri) as (part_format, data):
        remaining = part_format.remove(data, indices)
    write(location, remaining)
