"""One row a picture: what was classified again takes the place of its older row.

Rows are superseded after the newer ones were written, so a reader finds a picture twice for a
moment but never not at all; of two rows the one with the later `classified_at` counts. A run that
was killed in between is tidied up by the next one.
"""

import os
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from seefood.records import Row
from seefood.results.files import (
    RESULTS,
    RUNS,
    Format,
    decode_rows,
    encode_rows,
    list_parts,
    part_format,
    reading_part,
)
from seefood.results.ledger import KEY_BYTES, TRANSIENT, ledger_key, read_columns
from seefood.storage import open_store
from seefood.storage.local import TEMPORARY
from seefood.storage.uris import Location, parse_location

if TYPE_CHECKING:
    from numpy.typing import NDArray

_READERS: Final = 16
_OLD_SECONDS: Final = 3600.0
_LONG_AGO: Final = 1 << 50
"""Milliseconds: more than all times that a row can have."""
# What the processes of a run tell one another; see `seefood_pipeline.coordination`.
_SIGNS: Final = ("totals", "before", "listing", "stop")


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


def clean_up_dead_runs(
    output: Location, dead_runs: Iterable[str], dead_processes: Iterable[int]
) -> int:
    """Remove what runs that were killed left half-written; return how many objects that were.

    A hidden temporary file goes if a dead process made it, or if it is an hour old.
    """
    removed = 0
    for run_id in dead_runs:
        for name in _SIGNS:
            place = output.child(f"{RUNS}/{run_id}/{name}.json")
            open_store(place.root).delete(place.key)
    if output.is_local:
        marks = tuple(f"{TEMPORARY}{number}-" for number in dead_processes)
        for kind in (RESULTS, RUNS):
            for folder, _, names in os.walk(output.child(kind).key):
                for name in names:
                    path = Path(folder, name)
                    if name.startswith(TEMPORARY) and (name.startswith(marks) or _is_old(path)):
                        path.unlink(missing_ok=True)
                        removed += 1
    return removed


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > _OLD_SECONDS
    except FileNotFoundError:
        return False


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
