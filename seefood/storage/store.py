"""The store protocol, and how a location's store is opened."""

from collections.abc import Iterator
from functools import cache
from typing import Protocol

from seefood.records import ImageRef
from seefood.storage.local import LocalFiles
from seefood.storage.object_store import open_remote
from seefood.storage.s3_store import open_s3
from seefood.storage.uris import FILE_ROOT, Location, parse_location


class Store(Protocol):
    """What seefood asks of a place that keeps objects; any thread may call any method."""

    @property
    def is_remote(self) -> bool:
        """Whether a read takes a round trip, so that reading ahead pays."""

    def list(self, prefix: str) -> Iterator[ImageRef]:
        """Yield every object whose key starts with `prefix`, no folder markers.

        Raises `UsageError` for a bucket or folder that is absent or may not be listed.
        """

    def fetch(self, ref: ImageRef, *, first_bytes: int | None = None) -> bytes:
        """Return the bytes of exactly the object that was listed; at most the first, if asked.

        Raises `PictureError`: NOT_FOUND, CHANGED, FORBIDDEN, UNSUPPORTED_NAME or STORE_ERROR.
        """

    def stat(self, ref: ImageRef) -> ImageRef:
        """Return `ref` with the tag and size it has now, of its version if it names one.

        Reads no content. Raises `PictureError` as `fetch` does.
        """

    def read(self, key: str) -> bytes:
        """Return the object's bytes. Raises `FileNotFoundError` or `JobError`."""

    def write(self, key: str, data: bytes) -> None:
        """Put `data` at `key`. Atomic and idempotent: readers see all or nothing; overwrites.

        Raises `JobError`.
        """

    def create(self, key: str, data: bytes) -> bool:
        """Put `data` at `key` if nothing is there; return whether it was put.

        Atomic: of several writers at once one succeeds. Raises `JobError`.
        """

    def delete(self, key: str) -> None:
        """Remove the object; one that is absent is no error. Raises `JobError`."""


@cache
def open_store(root: str) -> Store:
    """Return the store of a location's root, one for each root in a process."""
    if root == FILE_ROOT:
        return LocalFiles()
    return open_s3(root) if root.startswith("s3://") else open_remote(root)


def fetch(ref: ImageRef) -> bytes:
    """Return the bytes of `ref`; see `Store.fetch`."""
    return open_store(parse_location(ref.uri).root).fetch(ref)


def write(location: Location, data: bytes) -> None:
    """Put `data` at `location`; see `Store.write`."""
    open_store(location.root).write(location.key, data)


def read(location: Location) -> bytes:
    """Return the bytes at `location`; see `Store.read`."""
    return open_store(location.root).read(location.key)
