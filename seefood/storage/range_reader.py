"""Reads an object of a store as a file, in blocks: forwards with one request a block."""

import io
from dataclasses import replace
from typing import Any, Final, Protocol

from seefood.records import ImageRef

BLOCK_BYTES: Final = 8 * 1024 * 1024


class RangeStore(Protocol):
    """The part of `seefood.storage.Store` that reads ranges."""

    def stat(self, ref: ImageRef) -> ImageRef:
        """See `Store.stat`."""

    def fetch_range(self, ref: ImageRef, start: int, end: int) -> bytes:
        """See `Store.fetch_range`."""


class RangeReader(io.RawIOBase):
    """A seekable file over one object. Holds one block. Raises `PictureError` as `fetch` does."""

    def __init__(self, store: RangeStore, ref: ImageRef) -> None:
        """Request the entity tag and the size unless `ref` has them."""
        self._store = store
        known = ref if ref.etag and ref.size_bytes else store.stat(ref)
        self.ref = replace(known, etag=ref.etag or known.etag)
        self._position = 0
        self._block_start = 0
        self._block = b""

    def readable(self) -> bool:
        """See `io.RawIOBase`."""
        return True

    def seekable(self) -> bool:
        """See `io.RawIOBase`."""
        return True

    def tell(self) -> int:
        """See `io.RawIOBase`."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """See `io.RawIOBase`. Requests nothing."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.ref.size_bytes}
        self._position = max(0, base[whence] + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        """See `io.RawIOBase`."""
        view = memoryview(buffer).cast("B")
        data = self._at_position(len(view))
        view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _at_position(self, length: int) -> bytes:
        """Return some of the bytes at the position; none at the end."""
        at = self._position - self._block_start
        if not 0 <= at < len(self._block):
            if self._position >= self.ref.size_bytes:
                return b""
            end = min(self.ref.size_bytes, self._position + max(length, BLOCK_BYTES))
            self._block = self._store.fetch_range(self.ref, self._position, end)
            self._block_start, at = self._position, 0
        return self._block[at : at + length]
