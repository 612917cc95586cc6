"""How the person at the terminal, or the machine that is going down, ends a run in good order."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from seefood.runs.progress import ProgressCounters

GRACE_SECONDS: Final = 5.0


@contextmanager
def stopping(meter: ProgressCounters) -> Iterator[None]:
    """Let SIGINT and SIGTERM end the run after the chunks in flight; a second one, at once.

    Chunks that take longer are given up: whoever stops a process kills it soon after.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(number: int, frame: FrameType | None) -> None:
        del number, frame
        if meter.stop_requested:
            meter.request_stop(0.0)
            raise KeyboardInterrupt
        meter.request_stop(GRACE_SECONDS)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
