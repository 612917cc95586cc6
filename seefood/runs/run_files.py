"""The objects in a run's folder.

    DEST/runs/<run id>/summary.json   the run's counts and options; stays
    DEST/runs/<run id>/report.html    the report; stays
    DEST/runs/<run id>/before.json    result objects that existed when the run started
    DEST/runs/<run id>/listing.json   how many pictures were listed, once that is known
    DEST/runs/<run id>/stop.json      present when workers must start nothing new
    DEST/runs/<run id>/totals.json    the counts of the finished job

The last four pass messages between the launcher and its workers, and exist only while a run lasts.
"""

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from seefood.results.files import FEATURES, RESULTS, RUNS
from seefood.storage import list_existing, open_store
from seefood.storage.local import TEMPORARY
from seefood.storage.uris import Location, parse_location

SUMMARY: Final = "summary.json"
BEFORE: Final = "before.json"
LISTING: Final = "listing.json"
STOP: Final = "stop.json"
TOTALS: Final = "totals.json"
COORDINATION: Final = (BEFORE, LISTING, STOP, TOTALS)
_OLD_SECONDS: Final = 3600.0


def run_folder(output: Location, run_id: str) -> Location:
    """Return the folder of a run."""
    return output.child(f"{RUNS}/{run_id}")


def list_summaries(output: Location) -> dict[str, Location]:
    """Return where the summaries of all runs below `output` are, by run id, the oldest first.

    The ids begin with the time. Raises `UsageError` if `output` may not be listed.
    """
    runs = output.child(f"{RUNS}/")
    found: dict[str, Location] = {}
    for ref in list_existing(runs):
        location = parse_location(ref.uri)
        run_id, _, name = location.key.removeprefix(runs.key).partition("/")
        if name == SUMMARY:
            found[run_id] = location
    return dict(sorted(found.items()))


def delete_coordination_files(output: Location, run_id: str) -> None:
    """Delete the objects that a run's processes exchanged. Idempotent. Raises `JobError`."""
    folder = run_folder(output, run_id)
    for name in COORDINATION:
        location = folder.child(name)
        open_store(location.root).delete(location.key)


def clean_up_dead_runs(
    output: Location, dead_runs: Iterable[str], dead_processes: Iterable[int]
) -> int:
    """Delete what killed runs left half-written; return how many temporary files that were.

    A hidden temporary file is deleted if a dead process made it, or if it is an hour old.
    """
    for run_id in dead_runs:
        delete_coordination_files(output, run_id)
    if not output.is_local:
        return 0
    deleted = 0
    prefixes = tuple(f"{TEMPORARY}{number}-" for number in dead_processes)
    for written in (RESULTS, FEATURES, RUNS):
        for folder, _, names in os.walk(output.child(written).key):
            for name in names:
                path = Path(folder, name)
                if name.startswith(TEMPORARY) and (name.startswith(prefixes) or _is_old(path)):
                    path.unlink(missing_ok=True)
                    deleted += 1
    return deleted


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > _OLD_SECONDS
    except FileNotFoundError:
        return False
