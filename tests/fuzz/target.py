"""What a fuzz target is, and how bytes become choices."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Target:
    """A part of seefood that reads what others wrote."""

    name: str
    run: Callable[[bytes], None]
    """Returns for what is taken and for what is refused by our own errors; raises for the rest."""
    seeds: Callable[[], Sequence[bytes]]
    """Inputs to begin with, made on the spot."""
    longest: int = 4096
    """Of an input, in bytes."""
    is_json: bool = False
    """Whether inputs are JSON, to be changed as such as often as byte by byte."""


class Choices:
    """Bytes as decisions: the same bytes are the same decisions; after the last byte, zeros."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """How many bytes are unused."""
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

    def text(self, longest: int) -> str:
        """Return a short text, of any characters."""
        return self.bytes(self.number(longest + 1)).decode("utf-8", "surrogateescape")
