"""A number of bytes shared by threads, which wait while it is used up."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Final

while_waiting: Final[ContextVar[Callable[[], AbstractContextManager[None]]]] = ContextVar(
    "while_waiting", default=nullcontext
)
"""A context entered while this thread waits; a thread with a time limit stops its clock there."""


class MemoryBudget:
    """A number of bytes, shared by threads. A reservation larger than all of it passes alone."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._free = limit
        self._changed = threading.Condition()

    def acquire(self, size: int) -> int:
        """Wait until `size` bytes are free and reserve them; return the number to release."""
        reserved = min(size, self._limit)
        with self._changed:
            if self._free < reserved:
                with while_waiting.get()():
                    self._changed.wait_for(lambda: self._free >= reserved)
            self._free -= reserved
        return reserved

    def release(self, reserved: int) -> None:
        """Free the bytes that `acquire` returned."""
        if reserved:
            with self._changed:
                self._free += reserved
                self._changed.notify_all()

    @contextmanager
    def reserve(self, size: int) -> Iterator[None]:
        """Reserve `size` bytes while the block runs."""
        reserved = self.acquire(size)
        try:
            yield
        finally:
            self.release(reserved)
