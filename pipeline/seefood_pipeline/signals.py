"""Stops a run in order on SIGINT and SIGTERM."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from seefood.cli.interrupts import note
from seefood.runs.progress import ProgressCounters

GRACE_SECONDS: Final = 5.0


@contextmanager
def stopping(counters: ProgressCounters) -> Iterator[None]:
    """Make SIGINT and SIGTERM stop the run after the chunks in flight; a second one at once.

    Chunks that need more than five seconds are abandoned, because a supervisor that stops a process
    kills it soon after. Does nothing on threads other than the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def request_stop(number: int, frame: FrameType | None) -> None:
        del frame
        note(number)
        if counters.stop_requested:
            counters.request_stop(0.0)
            raise KeyboardInterrupt
        counters.request_stop(GRACE_SECONDS)

    before = {
        number: signal.signal(number, request_stop) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
