"""Bytes that may be held at once: whoever wants more waits until others give theirs back."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Final

while_waiting: Final[ContextVar[Callable[[], AbstractContextManager[None]]]] = ContextVar(
    "while_waiting", default=nullcontext
)
"""What a thread does around its waits: one whose time is taken stops the clock."""


class MemoryBudget:
    """A number of bytes, shared by threads; one taker larger than all of it may pass alone."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._free = limit
        self._changed = threading.Condition()

    def take(self, size: int) -> int:
        """Wait until `size` bytes are free and take them; return what `give` gets back."""
        cost = min(size, self._limit)
        with self._changed:
            if self._free < cost:
                with while_waiting.get()():
                    self._changed.wait_for(lambda: self._free >= cost)
            self._free -= cost
        return cost

    def give(self, cost: int) -> None:
        """Give back what `take` returned."""
        if cost:
            with self._changed:
                self._free += cost
                self._changed.notify_all()

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Hold `size` bytes while the block runs."""
        cost = self.take(size)
        try:
            yield
        finally:
            self.give(cost)
