"""A chunk whose rows arrive one by one while a caller waits for all of them."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress

from seefood.errors import PictureError
from seefood.records import ImageRef, Row
from seefood.storage import fetch
from seefood.workers.protocol import ClassifyRequest


class PendingChunk:
    """Collects the rows of `refs`. Any thread may call its methods."""

    def __init__(self, refs: Sequence[ImageRef], contents: Sequence[bytes | None] = ()) -> None:
        """`contents` are the bytes of each picture, None for one that is to be fetched."""
        self.deaths = 0
        """How many worker processes died while they worked on it."""
        self._refs = refs
        self._contents = contents or [None] * len(refs)
        self._rows: list[Row | None] = [None] * len(refs)
        self._missing = len(refs)
        self._done: Future[None] = Future()
        self._lock = threading.Lock()

    @property
    def is_complete(self) -> bool:
        """Whether every picture has its row."""
        return not self._missing

    def put(self, index: int, row: Row) -> bool:
        """Store the row of one picture; return False if it has one already."""
        with self._lock:
            if self._rows[index] is not None:
                return False
            self._rows[index] = row
            self._missing -= 1
            if not self._missing and not self._done.done():
                self._done.set_result(None)
            return True

    def fail(self, error: Exception) -> None:
        """Make `wait` raise `error`, unless the chunk is complete or has failed before."""
        with self._lock:
            if not self._done.done():
                self._done.set_exception(error)

    def wait(self) -> list[Row]:
        """Return the rows in the order of the references, once all are there."""
        if self._refs:
            self._done.result()
        return [row for row in self._rows if row is not None]

    def requests(self) -> list[ClassifyRequest]:
        """Return the requests for the rows that are missing."""
        with self._lock:
            missing = [index for index, row in enumerate(self._rows) if row is None]
        return [
            ClassifyRequest(
                index, self._refs[index], _own_bytes(self._refs[index], self._contents[index])
            )
            for index in missing
        ]


def _own_bytes(ref: ImageRef, content: bytes | None) -> bytes | None:
    """Return `content`, or that of a `memory:` object, which no other process can read."""
    if content is None and ref.uri.startswith("memory:"):
        with suppress(PictureError):
            return fetch(ref)
    return content
