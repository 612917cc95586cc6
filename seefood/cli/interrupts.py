"""SIGINT (Ctrl-C) and SIGTERM end every command in the same way: exit code 128 + the signal.

A command that stops in order, such as `classify`, has handlers of its own and calls `note`.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

STOPPED: Final = "stopped; run the same command again to go on"
_noted: list[int] = []


def note(number: int) -> None:
    """Remember that the signal `number` has arrived."""
    _noted.append(number)


def exit_code() -> int | None:
    """Return the exit code of a command that a signal ended; None if none has arrived."""
    return 128 + _noted[0] if _noted else None


@contextmanager
def interruptible() -> Iterator[None]:
    """Make SIGTERM raise `KeyboardInterrupt`, as SIGINT does, and remember both.

    Does nothing on threads other than the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        del frame
        note(number)
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM)
    # A shell starts background jobs with SIGINT ignored; that stays so.
    before = {n: signal.getsignal(n) for n in numbers if signal.getsignal(n) != signal.SIG_IGN}
    for number in before:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _noted.clear()
