"""SIGINT (Ctrl-C) and SIGTERM end every command in the same way: exit code 128 + the signal.

A command that stops in order, such as `classify`, has handlers of its own and calls `note`.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_IMPORTLIB: Final = "<frozen importlib"
_AGAIN_SECONDS: Final = 0.01
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

    Importing a module is not interrupted inside importlib: it takes the lock of all imports in a
    callback, which would drop the exception and keep the lock for ever.

    Does nothing on threads other than the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        if number != signal.SIGALRM:
            note(number)
        if frame is not None and frame.f_code.co_filename.startswith(_IMPORTLIB):
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)
            return
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM)
    # A shell starts background jobs with SIGINT ignored; that stays so.
    before = {n: signal.getsignal(n) for n in numbers if signal.getsignal(n) != signal.SIG_IGN}
    for number in before:
        signal.signal(number, interrupt)
    before[signal.SIGALRM] = signal.signal(signal.SIGALRM, interrupt)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
        _noted.clear()
