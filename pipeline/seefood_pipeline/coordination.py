"""Messages between the launcher and the workers of a run: small objects in the run's folder.

Workers of any runner can reach the store, but not always the launcher. `seefood.runs.run_files`
lists the objects. They are deleted when the run ends; those of a killed run are deleted by the next
run, with its lease.
"""

import json
import time
from typing import Final

from seefood.errors import JobError
from seefood.results.totals import Totals
from seefood.runs.run_files import BEFORE, LISTING, STOP, TOTALS
from seefood.runs.run_spec import RunSpec
from seefood.storage import open_store, write
from seefood.storage.uris import Location

_POLL_SECONDS: Final = 2.0


class StopFlag:
    """Tells a worker whether to stop; reads the store at most every two seconds."""

    def __init__(self, run: RunSpec) -> None:
        self._run = run
        self._next_read = 0.0
        self._is_set = False

    def is_set(self) -> bool:
        """Whether nothing new may be started.

        Raises `JobError` if the run has ended: then this worker was cut off or cancelled.
        """
        if not self._is_set and time.monotonic() >= self._next_read:
            if not _exists(self._run.folder.child(BEFORE)):
                raise JobError(f"the run {self._run.run_id} is over; its worker stops")
            self._is_set = _exists(self._run.folder.child(STOP))
            self._next_read = time.monotonic() + _POLL_SECONDS
        return self._is_set


def write_stop_flag(run: RunSpec) -> None:
    """Make every worker of `run` start nothing new. Idempotent."""
    write(run.folder.child(STOP), b"{}")


def write_listing_totals(totals: Totals, run: RunSpec) -> None:
    """Publish what was listed. Overwrites, so a repeated listing corrects it."""
    _write_totals(totals, run.folder.child(LISTING))


def read_listing_totals(run: RunSpec) -> Totals | None:
    """Return what was listed; None until listing has ended."""
    try:
        return _read_totals(run.folder.child(LISTING))
    except (FileNotFoundError, ValueError):
        return None


def write_totals(totals: Totals, run: RunSpec) -> None:
    """Publish the counts of the finished job. Atomic, overwrites."""
    _write_totals(totals, run.folder.child(TOTALS))


def take_totals(run: RunSpec) -> Totals:
    """Return the counts of the finished job and delete them. Raises `JobError` if absent."""
    location = run.folder.child(TOTALS)
    try:
        totals = _read_totals(location)
    except (FileNotFoundError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise JobError(
            f"the job ended without its counts at {location.uri}; can its workers write there?"
        ) from error
    open_store(location.root).delete(location.key)
    return totals


def _write_totals(totals: Totals, location: Location) -> None:
    write(location, json.dumps(totals.as_json()).encode())


def _read_totals(location: Location) -> Totals:
    return Totals.from_json(json.loads(open_store(location.root).read(location.key)))


def _exists(location: Location) -> bool:
    try:
        open_store(location.root).read(location.key)
    except FileNotFoundError:
        return False
    return True
