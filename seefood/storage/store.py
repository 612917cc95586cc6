"""The store protocol, and opening a location's store."""

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Protocol

from seefood.errors import ErrorCode, PictureError, UsageError
from seefood.records import ImageRef
from seefood.storage.local import LocalFiles
from seefood.storage.s3_store import S3BucketStore
from seefood.storage.uris import FILE_ROOT, Location, parse_location


class Store(Protocol):
    """Reads, writes and lists objects. Thread-safe."""

    @property
    def is_remote(self) -> bool:
        """Whether a read takes a network round trip, so that reading ahead pays off."""

    @property
    def is_sequential(self) -> bool:
        """Whether objects are read fastest one after another in the order of their listing."""

    def list(self, prefix: str) -> Iterator[ImageRef]:
        """Yield every object whose key starts with `prefix`, except folder markers.

        Raises `UsageError` for a bucket or folder that is absent or may not be listed, and
        `JobError` where a remote listing fails after its first page.
        """

    def fetch(self, ref: ImageRef, *, first_bytes: int | None = None) -> bytes:
        """Return the content that `ref` names, or only its first `first_bytes` bytes.

        Raises `PictureError`: NOT_FOUND, CHANGED, FORBIDDEN, UNSUPPORTED_NAME or STORE_ERROR.
        """

    def fetch_range(self, ref: ImageRef, start: int, end: int) -> bytes:
        """Return the bytes from `start` up to `end` of the content that `ref` names.

        Fewer at the end of the object. Raises `PictureError` as `fetch` does.
        """

    def stat(self, ref: ImageRef) -> ImageRef:
        """Return `ref` with its current entity tag and size, or those of the version it names.

        Reads no content. Raises `PictureError` as `fetch` does.
        """

    def read(self, key: str) -> bytes:
        """Return the object's bytes.

        Raises `FileNotFoundError`, `JobError`, and `UsageError` for a folder.
        """

    def write(self, key: str, data: bytes) -> None:
        """Write `data` to `key`, overwriting. Atomic and idempotent: readers see all or nothing.

        Raises `JobError`.
        """

    def create(self, key: str, data: bytes) -> bool:
        """Write `data` to `key` if no object exists there; return whether it was written.

        Atomic: of several concurrent writers one succeeds. Raises `JobError`.
        """

    def delete(self, key: str) -> None:
        """Delete the object; an absent one is no error. Raises `JobError`."""


def open_store(root: str) -> Store:
    """Return the store of a location's root; the same one for each call with that root.

    Of archives, only those that were used last are kept.
    """
    return _open_archive(root) if root.endswith("#") else _open(root)


@lru_cache(maxsize=8)
def _open_archive(root: str) -> Store:
    from seefood.storage.archives.store import open_archive  # noqa: PLC0415 (tarfile, bz2, lzma)

    return open_archive(root, _open)


@cache
def _open(root: str) -> Store:
    if root == FILE_ROOT:
        return LocalFiles()
    if root.startswith("s3://"):
        return S3BucketStore(root)
    from seefood.storage.cloud_stores import open_remote  # noqa: PLC0415 (not for S3)

    return open_remote(root)


def fetch(ref: ImageRef) -> bytes:
    """Return the bytes of `ref`; see `Store.fetch`."""
    return open_store(parse_location(ref.uri).root).fetch(ref)


def current_etag(uri: str) -> str | None:
    """Return the entity tag of what is there now; None if nothing is. Raises `PictureError`."""
    try:
        return open_store(parse_location(uri).root).stat(ImageRef(uri)).etag
    except PictureError as error:
        if error.code is ErrorCode.NOT_FOUND:
            return None
        raise


def list_existing(prefix: Location) -> Iterator[ImageRef]:
    """Yield the objects whose names begin with `prefix`; none where its folder is absent.

    For what seefood itself writes below an output: before the first write there is no folder.
    Raises `UsageError` for a bucket that is absent, and for what may not be listed.
    """
    try:
        yield from open_store(prefix.root).list(prefix.key)
    except UsageError as error:
        is_absent = isinstance(error.__cause__, FileNotFoundError | NotADirectoryError)
        if not (prefix.is_local and is_absent):
            raise


def write(location: Location, data: bytes) -> None:
    """Write `data` to `location`; see `Store.write`."""
    open_store(location.root).write(location.key, data)


def read(location: Location) -> bytes:
    """Return the bytes at `location`; see `Store.read`."""
    return open_store(location.root).read(location.key)
