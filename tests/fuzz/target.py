"""Defines a fuzz target, and how a target makes choices from bytes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Target:
    """A part of seefood that parses untrusted input."""

    name: str
    run: Callable[[bytes], None]
    """Returns if the input is accepted or refused with one of our errors; raises otherwise."""
    seeds: Callable[[], Sequence[bytes]]
    """Makes the first inputs."""
    max_bytes: int = 4096
    """Of an input."""
    is_json: bool = False
    """Whether inputs are JSON, which is also changed by its structure."""


class Choices:
    """Makes choices from bytes, the same for the same bytes; zeros follow the last byte."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """Return how many bytes are unused."""
        return max(0, len(self._data) - self._at)

    def number(self, below: int) -> int:
        """Return a number in [0, below)."""
        width = max(1, (below.bit_length() + 7) // 8)
        taken = self._data[self._at : self._at + width]
        self._at += width
        return int.from_bytes(taken, "big") % below

    def pick(self, items: Sequence[_T]) -> _T:
        """Return one of `items`."""
        return items[self.number(len(items))]

    def bytes(self, count: int) -> "bytes":
        """Return up to `count` bytes."""
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken

    def text(self, max_bytes: int) -> str:
        """Return a short text of any characters."""
        return self.bytes(self.number(max_bytes + 1)).decode("utf-8", "surrogateescape")
