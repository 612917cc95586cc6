"""Keeps a few chunks in flight, and gives their results in order.

Whoever feeds a worker process needs this, so that the process has its next chunk when it has
finished one: the batch job's steps on a runner, and loops in Python.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

_Unit = TypeVar("_Unit")
_Result = TypeVar("_Result")

# The results of one are handled, one is computed, and the first objects of the third are fetched.
_IN_FLIGHT: Final = 3


class Ahead(Generic[_Unit, _Result]):
    """Units of work that were started and whose results are due, at most three. One thread's."""

    def __init__(self, start: Callable[[_Unit], Callable[[], _Result]]) -> None:
        """`start` begins a unit and returns the function that waits for its result."""
        self._start = start
        self._pending: deque[Callable[[], _Result]] = deque()

    def put(self, unit: _Unit) -> list[_Result]:
        """Start `unit`; if too many are in flight, wait for the oldest and return its result."""
        self._pending.append(self._start(unit))
        return [self._pending.popleft()()] if len(self._pending) >= _IN_FLIGHT else []

    def drain(self) -> list[_Result]:
        """Wait for all units in flight and return their results."""
        results = [wait() for wait in self._pending]
        self._pending.clear()
        return results
