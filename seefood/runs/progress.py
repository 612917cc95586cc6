"""How far a run is: counters that workers turn and a terminal shows.

On a terminal a live bar; in a log a line now and then; nothing when quiet. All on stderr.
"""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

from seefood.records import Row, Status

Style = Literal["auto", "bar", "lines", "quiet"]
_LINE_SECONDS: Final = 10.0
_FRAME_SECONDS: Final = 0.2


class ProgressCounters:
    """Counters of one process. Any thread may count; a reader sees whole numbers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.listed = 0
        self.listing_done = False
        self._stop_by: float | None = None
        self.skipped = 0
        self.rows = 0
        self.failed = 0
        self._first = self._last = 0.0

    @property
    def seconds(self) -> float:
        """From the first listing to the last picture so far; 0 before the first picture."""
        return max(0.0, self._last - self._first)

    @property
    def pictures_per_second(self) -> float:
        """Pictures finished in a second, on average; 0 before the first."""
        return self.rows / self.seconds if self.seconds > 0 else 0.0

    @property
    def stop_requested(self) -> bool:
        """Whether the operator wants to stop: nothing new should be started."""
        return self._stop_by is not None

    @property
    def out_of_time(self) -> bool:
        """Whether what is in flight should be given up, too."""
        return self._stop_by is not None and time.monotonic() >= self._stop_by

    def request_stop(self, grace_seconds: float) -> None:
        """Ask for an end; what is in flight may go on for `grace_seconds`."""
        self._stop_by = time.monotonic() + grace_seconds

    def count(self, row: Row) -> None:
        """Count one finished picture."""
        with self._lock:
            self._last = time.monotonic()
            self.rows += 1
            self.failed += row.status is Status.FAILED

    def add(self, rows: int, failed: int) -> None:
        """Count pictures that other machines have finished."""
        with self._lock:
            self._last = time.monotonic()
            self.rows += rows
            self.failed += failed

    def list(self, listed: int, skipped: int) -> None:
        """Count objects found at the sources and those that the ledger had."""
        with self._lock:
            self._first = self._first or time.monotonic()
            self.listed += listed
            self.skipped += skipped


@contextmanager
def show_progress(meter: ProgressCounters, style: Style = "auto") -> Iterator[None]:
    """Show `meter` on stderr until the block ends. `auto` is a bar on a terminal, else lines."""
    if style == "auto":
        style = "bar" if sys.stderr.isatty() else "lines"
    if style == "quiet":
        yield
        return
    stop = threading.Event()
    loop = _bar if style == "bar" else _lines
    thread = threading.Thread(target=loop, args=(meter, stop), name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=2.0)


def describe(meter: ProgressCounters) -> str:
    """Return the state as `1,204 of 2,283 pictures, 3 failed, 241/s, 4 s left`."""
    due = meter.listed - meter.skipped
    parts = [f"{meter.rows:,} of {due:,}{'' if meter.listing_done else '+'} pictures"]
    if meter.skipped:
        parts.append(f"{meter.skipped:,} done before")
    parts.append(f"{meter.failed:,} failed")
    rate = meter.pictures_per_second
    parts.append(f"{rate:,.0f}/s")
    if meter.listing_done and rate > 0 and due > meter.rows:
        parts.append(f"{(due - meter.rows) / rate:,.0f} s left")
    return ", ".join(parts)


def _lines(meter: ProgressCounters, stop: threading.Event) -> None:
    while not stop.wait(_LINE_SECONDS):
        sys.stderr.write(describe(meter) + "\n")
    sys.stderr.write(describe(meter) + "\n")


def _bar(meter: ProgressCounters, stop: threading.Event) -> None:
    from rich.console import Console  # noqa: PLC0415 (60 ms, and only a terminal needs it)
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn  # noqa: PLC0415

    columns = (SpinnerColumn(), BarColumn(bar_width=30), TextColumn("{task.fields[state]}"))
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("pictures", total=None, state="starting")
        ended = False
        while not ended:
            ended = stop.wait(_FRAME_SECONDS)
            due = meter.listed - meter.skipped if meter.listing_done else None
            progress.update(task, completed=meter.rows, total=due, state=describe(meter))
