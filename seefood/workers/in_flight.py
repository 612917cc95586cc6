"""Which pictures are being decoded at this moment: notes that survive the death of who took them.

A worker process writes them into a few bytes of memory that it shares with the process which
started it, so that a crash in a decoder leaves behind which pictures were in its hands, and a
decoder that hangs can be told from one that is busy. A note takes a microsecond.
"""

import mmap
import os
import struct
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Final

_HEAD: Final = struct.Struct("=dI")  # when it began, 0 for nothing; how many pictures
_PICTURE: Final = struct.Struct("=II")  # the number of a chunk, an index in it
_MOST: Final = 256
_SLOT_BYTES: Final = _HEAD.size + _MOST * _PICTURE.size

Picture = tuple[int, int]
"""The number of a chunk and an index in it."""


@dataclass(frozen=True, slots=True)
class InFlight:
    """Pictures that a thread has in its hands."""

    pictures: tuple[Picture, ...]
    seconds: float
    """For how long."""


class InFlightTable:
    """A slot for each compute thread; written by one process, read by another."""

    def __init__(self, descriptor: int, slots: int) -> None:
        """`descriptor` is a file of `in_flight_file(slots)`."""
        self._slots = slots
        self._memory = mmap.mmap(descriptor, slots * _SLOT_BYTES)

    def begin(self, slot: int, pictures: Sequence[Picture]) -> None:
        """InFlight that the thread of `slot` takes up `pictures`; of more than 256 the first."""
        at = slot * _SLOT_BYTES
        kept = pictures[:_MOST]
        for number, picture in enumerate(kept):
            _PICTURE.pack_into(self._memory, at + _HEAD.size + number * _PICTURE.size, *picture)
        _HEAD.pack_into(self._memory, at, time.monotonic(), len(kept))

    @contextmanager
    def paused(self, slot: int) -> Iterator[None]:
        """Stop the clock of `slot` while the block runs, and begin anew: its thread only waits."""
        at = slot * _SLOT_BYTES
        _, held = _HEAD.unpack_from(self._memory, at)
        _HEAD.pack_into(self._memory, at, 0.0, held)
        try:
            yield
        finally:
            _HEAD.pack_into(self._memory, at, time.monotonic(), held)

    def end(self, slot: int) -> None:
        """InFlight that the thread of `slot` has nothing in its hands."""
        _HEAD.pack_into(self._memory, slot * _SLOT_BYTES, 0.0, 0)

    def in_flight(self) -> list[InFlight]:
        """Return what is in hand now, or was when the writer died."""
        found = []
        for at in range(0, self._slots * _SLOT_BYTES, _SLOT_BYTES):
            began, count = _HEAD.unpack_from(self._memory, at)
            if began:
                pictures = self._memory[at + _HEAD.size :][: min(count, _MOST) * _PICTURE.size]
                held = time.monotonic() - began
                found.append(InFlight(tuple(_PICTURE.iter_unpack(pictures)), held))
        return found


def in_flight_file(slots: int) -> IO[bytes]:
    """Return an empty file without a name, as large as the notes of `slots` threads."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 (the caller hands it on and closes it)
    os.ftruncate(file.fileno(), slots * _SLOT_BYTES)
    return file
