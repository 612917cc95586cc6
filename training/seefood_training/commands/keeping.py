"""`seefood train --keep-on-interrupt`: the first Ctrl-C ends training and keeps its best result."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final

from seefood.cli.interrupts import note
from seefood_training.fit_types import EnoughError
from seefood_training.run_types import Observe, Progress

ENDING: Final = "the best so far becomes the bundle; Ctrl-C once more stops the run"
_KEEPS: Final = ("training", "exporting")
"""The stages in which there is something to keep."""


@dataclass(slots=True)
class Keeper:
    """What a signal does: before and after the fitting it stops the run, as everywhere."""

    stage: str = ""
    is_asked: bool = False
    _observe: Observe = lambda _: None

    def watch(self, observe: Observe) -> Observe:
        """Return `observe`, which ends the fitting after a signal has asked for it."""
        self._observe = observe

        def watched(progress: Progress) -> None:
            if progress.stage != "told":
                self.stage = progress.stage
            observe(progress)
            if self.is_asked and progress.stage == "training":
                raise EnoughError

        return watched

    def interrupt(self, number: int, frame: FrameType | None = None) -> None:
        """Ask for the end of the fitting, or raise `KeyboardInterrupt` if that was asked before."""
        del frame
        if self.stage not in _KEEPS or self.is_asked:
            note(number)
            raise KeyboardInterrupt
        self.is_asked = True
        self._observe(Progress("told", 0, 0, ENDING))


@contextmanager
def keeping(keeper: Keeper) -> Iterator[None]:
    """Let `keeper` decide what SIGINT and SIGTERM do, unless they are ignored."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {n: signal.getsignal(n) for n in numbers if signal.getsignal(n) != signal.SIG_IGN}
    for number in before:
        signal.signal(number, keeper.interrupt)
    try:
        yield
    except EnoughError:  # before the end of the first epoch
        note(signal.SIGINT)
        raise KeyboardInterrupt from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
