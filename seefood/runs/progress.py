"""Counts a run's pictures and shows the counts on stderr.

On a terminal and in a notebook they are a live bar, in a log a line every ten seconds.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final, Literal

from seefood.records import Row, Status
from seefood.units import duration

Style = Literal["auto", "bar", "lines", "json", "notebook", "quiet"]
STOPPED: Final = "stopped before all pictures were classified; run the same command again to go on"
"""The message of a run that was asked to stop."""
_LINE_SECONDS: Final = 10.0
_FRAME_SECONDS: Final = 0.2
_BAR_WIDTH: Final = 10
"""In 80 columns that leaves room for the counts of a million pictures."""


class ProgressCounters:
    """A run's counts in one process, and whether it was asked to stop. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.listed = 0
        self.listing_done = False
        self.skipped = 0
        self.rows = 0
        self.failed = 0
        self._stop_by: float | None = None
        self._first = self._last = 0.0

    @property
    def seconds(self) -> float:
        """From the first listed object to the latest row; 0 before the first row."""
        return max(0.0, self._last - self._first)

    @property
    def pictures_per_second(self) -> float:
        """The average speed so far; 0 before the first row."""
        return self.rows / self.seconds if self.seconds > 0 else 0.0

    @property
    def stop_requested(self) -> bool:
        """Whether no new chunk may be started."""
        return self._stop_by is not None

    @property
    def out_of_time(self) -> bool:
        """Whether chunks in flight must be abandoned as well."""
        return self._stop_by is not None and time.monotonic() >= self._stop_by

    def request_stop(self, grace_seconds: float) -> None:
        """Stop the run; chunks in flight have `grace_seconds` to finish."""
        self._stop_by = time.monotonic() + grace_seconds

    def count_row(self, row: Row) -> None:
        """Count one finished picture."""
        self.add_rows(1, int(row.status is Status.FAILED))

    def add_rows(self, rows: int, failed: int) -> None:
        """Count finished pictures, `failed` of which have no label."""
        with self._lock:
            self._last = time.monotonic()
            self.rows += rows
            self.failed += failed

    def add_listed(self, listed: int, skipped: int) -> None:
        """Count listed objects, `skipped` of which have a row already."""
        with self._lock:
            self._first = self._first or time.monotonic()
            self.listed += listed
            self.skipped += skipped


def can_draw() -> bool:
    """Whether stderr is a terminal that can draw a bar twice in one place."""
    return sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


@contextmanager
def show_progress(counters: ProgressCounters, style: Style = "auto") -> Iterator[None]:
    """Show `counters` until the block ends. `auto` is a bar on a terminal and lines elsewhere.

    A dumb terminal gets lines as well, because it cannot draw a bar twice.

    `json` writes lines, too: objects with a `message` and the counts.
    """
    if style == "auto":
        style = "bar" if can_draw() else "lines"
    if style == "quiet":
        yield
        return
    stop = threading.Event()
    lines = partial(_show_lines, as_line=_as_json if style == "json" else describe)
    loop = {"bar": _show_bar, "notebook": _show_notebook}.get(style, lines)
    thread = threading.Thread(target=loop, args=(counters, stop), name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=2.0)


def describe(counters: ProgressCounters) -> str:
    """Return the counts as `1,204 of 2,283 pictures, 3 failed, 241/s, 4 s left`."""
    if not (counters.listed or counters.rows or counters.listing_done):
        return "starting, no picture listed yet"
    expected = counters.listed - counters.skipped
    parts = [f"{counters.rows:,} of {expected:,}{'' if counters.listing_done else '+'} pictures"]
    if counters.skipped:
        parts.append(f"{counters.skipped:,} done before")
    parts.append(f"{counters.failed:,} failed")
    rate = counters.pictures_per_second
    parts.append(f"{rate:,.0f}/s")
    if counters.stop_requested:
        parts.append("stopping")
    elif counters.listing_done and rate > 0 and expected > counters.rows:
        parts.append(f"{duration((expected - counters.rows) / rate)} left")
    return ", ".join(parts)


def _as_json(counters: ProgressCounters) -> str:
    return json.dumps(
        {
            "message": describe(counters),
            "listed": counters.listed,
            "listing_done": counters.listing_done,
            "skipped": counters.skipped,
            "rows": counters.rows,
            "failed": counters.failed,
        }
    )


def _show_lines(
    counters: ProgressCounters,
    stop: threading.Event,
    as_line: Callable[[ProgressCounters], str],
) -> None:
    while not stop.wait(_LINE_SECONDS):
        sys.stderr.write(as_line(counters) + "\n")
    sys.stderr.write(as_line(counters) + "\n")


def _show_bar(counters: ProgressCounters, stop: threading.Event) -> None:
    # Rich takes 60 ms, and only a terminal needs it.
    from rich.progress import BarColumn, SpinnerColumn, TextColumn  # noqa: PLC0415
    from rich.table import Column  # noqa: PLC0415

    from seefood.runs.bars import Bars  # noqa: PLC0415

    # The bar keeps its width while the text grows.
    text = TextColumn("{task.fields[state]}", table_column=Column(no_wrap=True, ratio=1))
    with Bars(SpinnerColumn(), BarColumn(bar_width=_BAR_WIDTH), text, expand=True) as progress:
        task = progress.add_task("pictures", total=None, state="starting")
        stopped = False
        while not stopped:
            stopped = stop.wait(_FRAME_SECONDS)
            expected = counters.listed - counters.skipped if counters.listing_done else None
            state = describe(counters)
            progress.update(task, completed=counters.rows, total=expected, state=state)


def _show_notebook(counters: ProgressCounters, stop: threading.Event) -> None:
    """Show a bar below the cell that runs, and update it in its place."""
    from IPython.display import HTML, display  # noqa: PLC0415 (only a notebook has it)

    shown = display(HTML(_as_html(counters)), display_id=True)
    stopped = False
    while not stopped:
        stopped = stop.wait(_FRAME_SECONDS)
        shown.update(HTML(_as_html(counters)))


def _as_html(counters: ProgressCounters) -> str:
    """Return the counts as a bar and a line of text; without a length while listing continues."""
    value = f'value="{counters.rows}" max="{max(1, counters.listed - counters.skipped)}"'
    bar = f"<progress {value if counters.listing_done else ''}></progress>"
    return f"{bar} {describe(counters)}"
