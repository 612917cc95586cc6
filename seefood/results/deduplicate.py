"""One row a picture: what was classified again takes the place of its older row.

Rows are superseded after the newer ones were written, so a reader finds a picture twice for a
moment but never not at all; of two rows the one with the later `classified_at` counts. A run that
was killed in between is tidied up by the next one.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import numpy as np

from seefood.records import Row
from seefood.results.files import (
    RESULTS,
    Format,
    decode_rows,
    encode_rows,
    list_parts,
    part_format,
    reading_part,
)
from seefood.results.ledger import KEY_BYTES, TRANSIENT, ledger_key, read_columns
from seefood.storage import open_store
from seefood.storage.uris import Location, parse_location

if TYPE_CHECKING:
    from numpy.typing import NDArray

_READERS: Final = 16
_LONG_AGO: Final = 1 << 50
"""Milliseconds: more than all times that a row can have."""


def deduplicate(output: Location, digest: str) -> int:
    """Leave the latest row only of each picture of this model; return how many were taken away.

    Idempotent. Each result object is replaced or deleted as a whole, after its rows' successors
    are there. Raises `JobError`.
    """
    results = f"{output.child(RESULTS).uri}/"
    parts = [part.uri for part in list_parts(output, digest) if part.uri.startswith(results)]
    if not parts:
        return 0
    with ThreadPoolExecutor(_READERS) as pool:
        claims = list(pool.map(_claims, parts))
    keys = np.concatenate([key for key, _ in claims])
    times = np.concatenate([moment for _, moment in claims])
    sizes = [len(key) for key, _ in claims]
    part_of = np.repeat(np.arange(len(parts)), sizes)
    index = np.concatenate([np.arange(size) for size in sizes])
    # By picture, and for each picture by time: of equal neighbours the last one counts. The part
    # decides between equal times, so that every run decides alike.
    order = np.lexsort((index, part_of, times, keys))
    older = order[:-1][keys[order[1:]] == keys[order[:-1]]]
    for part in np.unique(part_of[older]):
        _take_away(parts[part], set(index[older[part_of[older] == part]].tolist()))
    return int(older.size)


def _claims(uri: str) -> "tuple[NDArray[np.bytes_], NDArray[np.int64]]":
    """Return the key and the time, in milliseconds, of each row of one result object.

    A failure that may have passed is older than any label: clocks jump, and the ledger would try
    the picture again on every run.
    """
    keys = []
    times = []
    columns = ("uri", "etag", "classified_at", "error_code")
    for name, etag, classified_at, code in read_columns(uri, columns):
        keys.append(ledger_key(name, etag))
        moment = round(classified_at.timestamp() * 1000)
        times.append(moment - _LONG_AGO if code in TRANSIENT else moment)
    return np.array(keys, dtype=f"S{KEY_BYTES}"), np.array(times, dtype=np.int64)


def _take_away(uri: str, indices: set[int]) -> None:
    rows = [row for index, row in enumerate(_rows(uri)) if index not in indices]
    location = parse_location(uri)
    store = open_store(location.root)
    if not rows:
        store.delete(location.key)
        return
    form: Format = "csv" if uri.endswith(".csv") else "jsonl"
    store.write(location.key, encode_rows(rows, "parquet" if uri.endswith(".parquet") else form))


def _rows(uri: str) -> list[Row]:
    location = parse_location(uri)
    with reading_part(uri):
        data = open_store(location.root).read(location.key)
        return list(decode_rows(data, part_format(uri) or ""))
