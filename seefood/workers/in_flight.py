"""A shared-memory table of the pictures in flight, readable after a crash.

A worker process writes into it which pictures each compute thread is decoding, and since when. The
process that started it reads which pictures a crash may be due to, and which thread hangs. An entry
takes a microsecond.
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

_HEAD: Final = struct.Struct("=dI")  # monotonic start time, 0 for none; number of pictures
_PICTURE: Final = struct.Struct("=II")  # number of the chunk, index in it
MAX_PICTURES: Final = 256
_SLOT_BYTES: Final = _HEAD.size + MAX_PICTURES * _PICTURE.size

Picture = tuple[int, int]
"""The number of a chunk and an index in it."""


@dataclass(frozen=True, slots=True)
class InFlight:
    """The pictures that a thread is working on."""

    pictures: tuple[Picture, ...]
    seconds: float
    """Since it began."""


class InFlightTable:
    """One slot for each compute thread; one process writes it, another reads it."""

    def __init__(self, descriptor: int, slots: int) -> None:
        """`descriptor` is the file that `in_flight_file(slots)` returns."""
        self._slots = slots
        self._memory = mmap.mmap(descriptor, slots * _SLOT_BYTES)

    def begin(self, slot: int, pictures: Sequence[Picture]) -> None:
        """Record that the thread of `slot` begins `pictures`; keeps the first 256."""
        offset = slot * _SLOT_BYTES
        kept = pictures[:MAX_PICTURES]
        for number, picture in enumerate(kept):
            _PICTURE.pack_into(self._memory, offset + _HEAD.size + number * _PICTURE.size, *picture)
        _HEAD.pack_into(self._memory, offset, time.monotonic(), len(kept))

    @contextmanager
    def paused(self, slot: int) -> Iterator[None]:
        """Clear `slot` while its thread waits, and restart its time after the block."""
        offset = slot * _SLOT_BYTES
        _, count = _HEAD.unpack_from(self._memory, offset)
        _HEAD.pack_into(self._memory, offset, 0.0, count)
        try:
            yield
        finally:
            _HEAD.pack_into(self._memory, offset, time.monotonic(), count)

    def end(self, slot: int) -> None:
        """Record that the thread of `slot` has no picture."""
        _HEAD.pack_into(self._memory, slot * _SLOT_BYTES, 0.0, 0)

    def read(self) -> list[InFlight]:
        """Return what each busy thread works on, or worked on when the writer died."""
        entries = []
        for offset in range(0, self._slots * _SLOT_BYTES, _SLOT_BYTES):
            started, count = _HEAD.unpack_from(self._memory, offset)
            if started:
                size = min(count, MAX_PICTURES) * _PICTURE.size
                pictures = tuple(_PICTURE.iter_unpack(self._memory[offset + _HEAD.size :][:size]))
                entries.append(InFlight(pictures, time.monotonic() - started))
        return entries


def in_flight_file(slots: int) -> IO[bytes]:
    """Return an unnamed file of the size of a table with `slots` slots, filled with zeros."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 (the caller closes it)
    os.ftruncate(file.fileno(), slots * _SLOT_BYTES)
    return file
