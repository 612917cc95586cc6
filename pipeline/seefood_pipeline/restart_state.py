"""What a run on a cluster has written so far, read from its result objects.

A cluster may repeat a job's steps after it has lost a machine. The rows that are written tell the
repeated listing what is done, and tell the launcher how far the job is. Which result objects there
were before the run is stored at its start, because a rewritten object keeps its name.
"""

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Lock
from typing import Final

from seefood.errors import JobError
from seefood.records import ImageRef
from seefood.results.files import list_batch_parts, list_parts, read_part
from seefood.results.ledger import Ledger, ledger_key
from seefood.results.totals import Totals, add_totals, count_rows
from seefood.runs.run_files import BEFORE
from seefood.runs.run_spec import RunSpec
from seefood.sanitize import field_problem
from seefood.sources.compact_set import CompactSet
from seefood.storage import read, write

PartsBefore = frozenset[tuple[str, str]]
"""URI and entity tag of each result object that existed when a run started."""

_READERS: Final = 16


@dataclass(frozen=True, slots=True)
class Earlier:
    """What earlier attempts of the same run have written."""

    ledger: Ledger
    totals: Totals


def existing_parts(run: RunSpec) -> PartsBefore:
    """Return the model's result objects that exist now."""
    return frozenset((part.uri, part.etag) for part in list_parts(run.output, run.digest))


def write_before(before: PartsBefore, run: RunSpec) -> None:
    """Store `before` for the lister; it may be too large to be a part of the job."""
    write(run.folder.child(BEFORE), json.dumps({"parts": sorted(before)}).encode())


def read_before(run: RunSpec) -> PartsBefore:
    """Return what `write_before` stored. Raises `JobError` if it is gone or broken."""
    location = run.folder.child(BEFORE)
    try:
        return frozenset((str(uri), str(tag)) for uri, tag in json.loads(read(location))["parts"])
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        raise JobError(
            f"{location.uri} is gone or broken ({field_problem(error)}); run the same command again"
        ) from error


def new_parts(run: RunSpec, before: PartsBefore) -> list[ImageRef]:
    """Return the result objects that batch jobs have written since `before`."""
    parts = list_batch_parts(run.output, run.digest)
    return [part for part in parts if (part.uri, part.etag) not in before]


def read_earlier(run: RunSpec, before: PartsBefore) -> Earlier:
    """Return what was written since `before`; reads those result objects. Raises `JobError`.

    A picture counts once. Two attempts may have written it in different objects: a machine that is
    cut off from the cluster, but not from the store, goes on for a while.
    """
    seen, lock = CompactSet(), Lock()

    def keys_and_totals(part: ImageRef) -> tuple[list[bytes], Totals]:
        rows = list(read_part(part.uri))
        with lock:
            new = [row for row in rows if seen.add(f"{row.uri} {row.etag}")]
        # An object with second rows is not counted, so that the launcher finds more objects.
        totals = replace(count_rows(new), parts=int(len(new) == len(rows)))
        return [ledger_key(row.uri, row.etag) for row in new], totals

    with ThreadPoolExecutor(_READERS) as pool:
        parts = list(pool.map(keys_and_totals, new_parts(run, before)))
    return Earlier(
        Ledger(key for keys, _ in parts for key in keys),
        add_totals(totals for _, totals in parts),
    )


def count_parts(parts: Iterable[ImageRef]) -> list[Totals]:
    """Return the totals of each result object. Raises `JobError`."""
    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(lambda part: count_rows(read_part(part.uri)), parts))
