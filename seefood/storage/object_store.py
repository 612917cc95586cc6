"""Google Cloud Storage, Azure and memory, through obstore (Rust's object_store); S3 builds on it.

Credentials and settings come from the environment that each cloud's own tools read. Requests that
the store throttles, resets or answers with a 5xx are retried with back-off and jitter by obstore;
what obstore gives up, though it may pass, by `seefood.storage.retry`.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import obstore
from obstore import exceptions
from obstore.store import AzureStore, GCSStore, MemoryStore

from seefood.errors import ErrorCode, JobError, PictureError, UsageError
from seefood.records import ImageRef
from seefood.storage.obstore_errors import (
    NO_TAG,
    OddAnswerError,
    cause_of,
    failure,
    first_line,
    listing_cause,
    read_error,
)
from seefood.storage.retry import THROTTLED, RetryPolicy
from seefood.storage.uris import Location, parse_location

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obstore import GetOptions, ObjectMeta
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

CLIENT: Final["ClientConfig"] = {
    "connect_timeout": timedelta(seconds=5),
    "timeout": timedelta(seconds=60),
}
RETRY: Final["RetryConfig"] = {
    "max_retries": THROTTLED.tries - 1,
    "retry_timeout": timedelta(seconds=THROTTLED.most_seconds),
    "backoff": {
        "init_backoff": timedelta(seconds=THROTTLED.first_wait_seconds),
        "max_backoff": timedelta(seconds=THROTTLED.longest_wait_seconds),
        "base": 2,
    },
}
_LIST_PAGE: Final = 1000


class RemoteStore:
    """One bucket, container or memory behind an obstore store; keys are the objects' names."""

    def __init__(self, root: str, store: "ObjectStore") -> None:
        """`root` is the beginning of the URIs of what lies in `store`, such as `s3://bucket`."""
        self._root = root
        self._store = store
        self._again = RetryPolicy(failure)
        self.is_remote = not root.startswith("memory:")
        self.is_sorted = True
        """Whether listings are in the order of keys."""

    def list(self, prefix: str) -> Iterator[ImageRef]:
        """See `Store.list`. Keys come in the store's order, a page at a time."""
        folder, _, stem = prefix.rpartition("/")
        # obstore lists by folder; starting just before the prefix spares what sorts below it.
        offset = _before(prefix) if stem else None
        try:
            for page in self._pages(folder or None, offset):
                for meta in page:
                    if meta["path"].startswith(prefix):
                        yield self._ref(meta)
                    elif stem and self.is_sorted and meta["path"] > prefix:
                        return
        except (exceptions.BaseError, OSError, ValueError) as error:
            raise UsageError(
                f"cannot list {self._root}/{prefix}: {listing_cause(error)}"
            ) from error

    def _pages(self, folder: str | None, offset: str | None) -> Iterator["Sequence[ObjectMeta]"]:
        """Yield the pages of a listing; one that fails is asked for again from the last key on.

        Where keys come in no order, only the first one is.
        """

        def begin() -> "Iterator[Sequence[ObjectMeta]]":
            return iter(obstore.list(self._store, folder, offset=offset, chunk_size=_LIST_PAGE))

        stream = begin()

        def ask() -> "Sequence[ObjectMeta] | None":
            nonlocal stream
            try:
                return next(stream, None)
            except Exception:
                stream = begin()  # a stream that has failed would seem to be at its end
                raise

        page = self._again.send(ask, "list")
        while page is not None:
            yield page
            if self.is_sorted and page:
                offset = page[-1]["path"]
                page = self._again.send(ask, "list")
            else:
                page = next(stream, None)

    def fetch(self, ref: ImageRef, *, first_bytes: int | None = None) -> bytes:
        """See `Store.fetch`. Reads the version that was listed, or fails if the tag differs."""
        options = self._exactly(ref)
        if first_bytes is not None:
            options["range"] = (0, first_bytes)
        try:
            answer = obstore.get(self._store, _key(ref), options=options)
            _check_tag(_tag(answer.meta), ref)
            return bytes(answer.bytes())
        except PictureError:
            raise
        except Exception as error:
            raise read_error(error) from error

    def stat(self, ref: ImageRef) -> ImageRef:
        """See `Store.stat`: one HEAD."""
        options: GetOptions = {"head": True}
        if ref.version_id is not None:
            options["version"] = ref.version_id
        try:
            meta = obstore.get(self._store, _key(ref), options=options).meta
        except PictureError:
            raise
        except Exception as error:
            raise read_error(error) from error
        return self._ref(meta, ref)

    def read(self, key: str) -> bytes:
        """See `Store.read`."""

        def ask() -> bytes:
            answer = obstore.get(self._store, key)
            if not _tag(answer.meta):
                raise OddAnswerError(NO_TAG)
            return bytes(answer.bytes())

        try:
            return self._again.send(ask, "read")
        except FileNotFoundError:
            raise
        except Exception as error:
            raise JobError(f"cannot read {self._root}/{key}: {cause_of(error, 'read')}") from error

    def write(self, key: str, data: bytes) -> None:
        """See `Store.write`: one PUT, or a multipart upload that becomes visible as a whole."""
        try:
            self._again.send(lambda: obstore.put(self._store, key, data), "write")
        except Exception as error:
            cause = cause_of(error, "write")
            raise JobError(
                f"cannot write {self._root}/{key}: {cause}; check the bucket and its permissions, "
                "then run the same command again"
            ) from error

    def create(self, key: str, data: bytes) -> bool:
        """See `Store.create`: one conditional PUT (`If-None-Match: *`).

        Of one that was done and whose answer was lost, the next try says that something is there.
        """
        try:
            self._again.send(lambda: obstore.put(self._store, key, data, mode="create"), "write")
        except exceptions.AlreadyExistsError:
            return False
        except Exception as error:
            message = f"cannot write {self._root}/{key}: {cause_of(error, 'write')}"
            raise JobError(message) from error
        return True

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        try:
            self._again.send(lambda: obstore.delete(self._store, key), "delete")
        except FileNotFoundError:
            return
        except Exception as error:
            message = f"cannot delete {self._root}/{key}: {cause_of(error, 'delete')}"
            raise JobError(message) from error

    def _ref(self, meta: "ObjectMeta", asked: ImageRef | None = None) -> ImageRef:
        uri = asked.uri if asked else Location(self._root, meta["path"]).uri
        version = asked.version_id if asked and asked.version_id else meta["version"]
        modified = meta["last_modified"].timestamp()
        return ImageRef(uri, _tag(meta), int(meta["size"]), version, modified)

    def _exactly(self, ref: ImageRef) -> "GetOptions":
        """Return the options that read the very content that `ref` names."""
        if ref.version_id is not None:
            return {"version": ref.version_id}
        if ref.etag:
            return {"if_match": f'"{ref.etag}"'}
        return {}


def _key(ref: ImageRef) -> str:
    """Return the object's name. obstore would drop slashes at its ends and read another object."""
    key = parse_location(ref.uri).key
    if key.startswith("/") or key.endswith("/"):
        raise PictureError(ErrorCode.UNSUPPORTED_NAME, "the client cannot express the name")
    return key


def _tag(meta: "ObjectMeta") -> str:
    return (meta["e_tag"] or "").strip('"')


def _check_tag(tag: str, ref: ImageRef) -> None:
    """Raise `PictureError` for an answer that is not the content that was asked for.

    A proxy's page with the status 200 would else become a picture's last word.
    """
    if not ref.etag or ref.version_id is not None or tag.removeprefix("W/") == ref.etag:
        return
    if tag:
        raise PictureError(ErrorCode.CHANGED, "the object was replaced since it was listed")
    raise PictureError(ErrorCode.STORE_ERROR, NO_TAG)


def open_remote(root: str) -> RemoteStore:
    """Return the store of `root`. Raises `UsageError` if its settings make no sense."""
    scheme, _, name = root.partition("://")
    try:
        if scheme == "memory":
            return RemoteStore(root, MemoryStore())
        if scheme == "gs":
            return RemoteStore(root, GCSStore(name, client_options=CLIENT, retry_config=RETRY))
        return RemoteStore(root, AzureStore(name, client_options=CLIENT, retry_config=RETRY))
    except (exceptions.BaseError, ValueError) as error:
        raise UsageError(f"cannot open {root}: {first_line(error)}") from error


def _before(prefix: str) -> str | None:
    """Return a key that sorts just before `prefix`; None where there is no simple one."""
    last = prefix[-1]
    return f"{prefix[:-1]}{chr(ord(last) - 1)}~" if last.isascii() and last.isalnum() else None
