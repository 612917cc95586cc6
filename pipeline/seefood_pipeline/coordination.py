"""Small objects below a run's folder, through which launcher and workers tell one another things.

    DEST/runs/<id>/before.json    what was there when the run started; once gone, the run is over
    DEST/runs/<id>/listing.json   how many pictures were listed, once that is known
    DEST/runs/<id>/stop.json      nothing new is to be started: too many pictures have failed
    DEST/runs/<id>/totals.json    the counts of the finished job

Any runner's workers reach the store, whatever stands between them and the launcher. All are gone
when the run has ended; those of a run that was killed go with its lease.
"""

import json
import time
from dataclasses import dataclass
from typing import Final

from seefood.errors import JobError
from seefood.results.totals import Totals
from seefood.runs.summary import run_folder
from seefood.storage import open_store, write
from seefood.storage.uris import Location, parse_location

_POLL_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class RunCoordination:
    """Where a run's coordination are; small, and travels to workers."""

    output: str
    run_id: str

    @property
    def before(self) -> Location:
        """What was there when the run started."""
        return self._at("before")

    @property
    def listing(self) -> Location:
        """The lister's counts."""
        return self._at("listing")

    @property
    def stop(self) -> Location:
        """Its presence says that nothing new is to be started."""
        return self._at("stop")

    def clear(self) -> None:
        """Take the coordination away. Raises `JobError` if the store refuses."""
        for place in (self.before, self.listing, self.stop):
            open_store(place.root).delete(place.key)

    def _at(self, name: str) -> Location:
        return run_folder(parse_location(self.output), self.run_id).child(f"{name}.json")


class StopFlag:
    """Looks at a run's coordination, now and then, for one worker."""

    def __init__(self, coordination: RunCoordination) -> None:
        self._signs = coordination
        self._next_look = 0.0
        self._seen = False

    def is_up(self) -> bool:
        """Whether nothing new is to be started; looks at most every two seconds.

        Raises `JobError` once the run is over: who still works for it was cut off or cancelled.
        """
        if not self._seen and time.monotonic() >= self._next_look:
            if not exists(self._signs.before):
                raise JobError(f"the run {self._signs.run_id} is over; its worker stops")
            self._seen = exists(self._signs.stop)
            self._next_look = time.monotonic() + _POLL_SECONDS
        return self._seen


def put_stop(coordination: RunCoordination) -> None:
    """Put the stop sign up. Idempotent."""
    write(coordination.stop, b"{}")


def put_listing(coordination: RunCoordination, totals: Totals) -> None:
    """Tell the launcher what was listed. Overwrites, so a repeated listing corrects it."""
    write(coordination.listing, json.dumps(totals.as_json()).encode())


def see_listing(coordination: RunCoordination) -> Totals | None:
    """Return what was listed; None as long as that goes on."""
    try:
        return Totals.from_json(
            json.loads(open_store(coordination.listing.root).read(coordination.listing.key))
        )
    except (FileNotFoundError, ValueError):
        return None


def exists(location: Location) -> bool:
    """Return whether there is an object; reads it, for it is small."""
    try:
        open_store(location.root).read(location.key)
    except FileNotFoundError:
        return False
    return True
