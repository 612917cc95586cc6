"""Google Cloud Storage, Azure and memory, through obstore (Rust's object_store); S3 builds on it.

Credentials and settings come from the environment variables of each cloud's own tools. obstore
retries requests that the store throttles, resets or fails with a 5xx; `seefood.storage.retry`
retries the transient failures that obstore does not.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal, TypeVar

import obstore
from obstore import exceptions

from seefood.errors import ErrorCode, JobError, PictureError, SeefoodError
from seefood.records import ImageRef
from seefood.storage import request_counts
from seefood.storage.obstore_errors import (
    NO_ETAG,
    ClientPanicError,
    NotAStoreError,
    cause_of,
    classify_failure,
    listing_cause,
    read_error,
    without_panics,
)
from seefood.storage.read_failures import INEXPRESSIBLE, REPLACED, listing_error
from seefood.storage.retry import THROTTLED_BACKOFF, RetryPolicy
from seefood.storage.uris import Location, parse_location

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obstore import GetOptions, ObjectMeta
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

_T = TypeVar("_T")
CLIENT: Final["ClientConfig"] = {
    "connect_timeout": timedelta(seconds=5),
    "timeout": timedelta(seconds=60),
}
RETRY: Final["RetryConfig"] = {
    "max_retries": THROTTLED_BACKOFF.max_tries - 1,
    "retry_timeout": timedelta(seconds=THROTTLED_BACKOFF.max_total_seconds),
    "backoff": {
        "init_backoff": timedelta(seconds=THROTTLED_BACKOFF.first_wait_seconds),
        "max_backoff": timedelta(seconds=THROTTLED_BACKOFF.max_wait_seconds),
        "base": 2,
    },
}
_LIST_PAGE: Final = 1000


class RemoteStore:
    """One bucket, container or memory behind an obstore store; keys are the objects' names."""

    def __init__(self, root: str, store: "ObjectStore") -> None:
        """`root` is the start of the URIs of the objects in `store`, such as `s3://bucket`."""
        self._root = root
        self._store = store
        self._retry = RetryPolicy(classify_failure)
        self.is_remote = not root.startswith("memory:")
        self.is_sequential = False
        # obstore deletes from S3 with DeleteObjects.
        self._deletes_by = "post" if root.startswith("s3:") else "delete"
        self.is_sorted = True
        """Whether listings are in the order of their keys."""

    def list(self, prefix: str) -> Iterator[ImageRef]:
        """See `Store.list`. Keys come in the store's order, a page at a time.

        Raises `JobError` if the listing fails after its first page.
        """
        folder, _, stem = prefix.rpartition("/")
        # obstore lists whole folders; the offset skips the keys that sort before the prefix.
        offset = _before(prefix) if stem else None
        has_begun = False
        try:
            for page in self._pages(folder or None, offset):
                has_begun = True
                for meta in page:
                    if meta["path"].startswith(prefix):
                        yield self._ref(meta)
                    elif stem and self.is_sorted and meta["path"] > prefix:
                        return
        except (exceptions.BaseError, ClientPanicError, OSError, ValueError) as error:
            cause = listing_cause(error)
            raise listing_error(f"{self._root}/{prefix}", cause, has_begun=has_begun) from error

    def _pages(self, folder: str | None, offset: str | None) -> Iterator["Sequence[ObjectMeta]"]:
        """Yield the pages of a listing; one that fails is requested again from the last key on.

        Where keys are not sorted, only the first page is requested again.
        """

        def start() -> "Iterator[Sequence[ObjectMeta]]":
            return self._native(
                lambda store: iter(
                    obstore.list(store, folder, offset=offset, chunk_size=_LIST_PAGE)
                )
            )

        stream = start()

        def next_page() -> "Sequence[ObjectMeta] | None":
            nonlocal stream
            self._count("list")
            try:
                return without_panics(lambda: next(stream, None))
            except Exception:
                stream = start()  # a failed stream would seem to be at its end
                raise

        page = self._retry.call(next_page, "list")
        while page is not None:
            yield page
            if self.is_sorted and page:
                offset = page[-1]["path"]
                page = self._retry.call(next_page, "list")
            else:
                page = without_panics(lambda: next(stream, None))

    def fetch(self, ref: ImageRef, *, first_bytes: int | None = None) -> bytes:
        """See `Store.fetch`. Reads the version that was listed, or fails if the etag differs."""
        options = _content_options(ref)
        if first_bytes is not None:
            options["range"] = (0, first_bytes)
        try:
            return self._native(lambda store: _get(self._counted("get", store), ref, options))
        except SeefoodError:
            raise
        except Exception as error:
            raise read_error(error) from error

    def fetch_range(self, ref: ImageRef, start: int, end: int) -> bytes:
        """See `Store.fetch_range`: one GET request."""
        options = _content_options(ref)
        options["range"] = (start, end)
        try:
            response = obstore.get(self._counted("get", self._store), _key(ref), options=options)
            _check_etag(_etag(response.meta), ref)
            return bytes(response.bytes())
        except PictureError:
            raise
        except Exception as error:
            raise read_error(error) from error

    def stat(self, ref: ImageRef) -> ImageRef:
        """See `Store.stat`: one HEAD request."""
        options: GetOptions = {"head": True}
        if ref.version_id is not None:
            options["version"] = ref.version_id
        try:
            meta = self._native(
                lambda store: (
                    obstore.get(self._counted("head", store), _key(ref), options=options).meta
                )
            )
        except SeefoodError:
            raise
        except Exception as error:
            raise read_error(error) from error
        return self._ref(meta, ref)

    def read(self, key: str) -> bytes:
        """See `Store.read`."""

        def get(store: "ObjectStore") -> bytes:
            response = obstore.get(self._counted("get", store), key)
            if not _etag(response.meta):
                raise NotAStoreError(NO_ETAG)
            return bytes(response.bytes())

        try:
            return self._retry.call(lambda: self._native(get), "read")
        except (FileNotFoundError, SeefoodError):
            raise
        except Exception as error:
            raise JobError(f"cannot read {self._root}/{key}: {cause_of(error, 'read')}") from error

    def write(self, key: str, data: bytes) -> None:
        """See `Store.write`: one PUT, or a multipart upload that becomes visible as a whole."""
        try:
            self._put(key, data, "overwrite")
        except SeefoodError:
            raise
        except Exception as error:
            cause = cause_of(error, "write")
            raise JobError(
                f"cannot write {self._root}/{key}: {cause}; check the bucket and its permissions, "
                "then run the same command again"
            ) from error

    def create(self, key: str, data: bytes) -> bool:
        """See `Store.create`: one conditional PUT (`If-None-Match: *`).

        If the response to a successful PUT is lost, the retry finds the object and returns False.
        """
        try:
            self._put(key, data, "create")
        except exceptions.AlreadyExistsError:
            return False
        except SeefoodError:
            raise
        except Exception as error:
            message = f"cannot write {self._root}/{key}: {cause_of(error, 'write')}"
            raise JobError(message) from error
        return True

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        try:
            self._retry.call(
                lambda: self._native(
                    lambda store: obstore.delete(self._counted(self._deletes_by, store), key)
                ),
                "delete",
            )
        except FileNotFoundError:
            return
        except SeefoodError:
            raise
        except Exception as error:
            message = f"cannot delete {self._root}/{key}: {cause_of(error, 'delete')}"
            raise JobError(message) from error

    def _put(self, key: str, data: bytes, mode: Literal["create", "overwrite"]) -> None:
        def put(store: "ObjectStore") -> None:
            if self.is_remote:
                request_counts.count_put(len(data))
            obstore.put(store, key, data, mode=mode)

        self._retry.call(lambda: self._native(put), "write")

    def _counted(self, method: str, store: "ObjectStore") -> "ObjectStore":
        """Count a request that is about to be given to `store`, and return `store`."""
        self._count(method)
        return store

    def _count(self, method: str) -> None:
        if self.is_remote:
            request_counts.count(method)

    def _native(self, call: "Callable[[ObjectStore], _T]") -> _T:
        """Return what `call` returns for obstore's store; a panic is an ordinary exception."""
        return without_panics(lambda: call(self._store))

    def _ref(self, meta: "ObjectMeta", requested: ImageRef | None = None) -> ImageRef:
        uri = requested.uri if requested else Location(self._root, meta["path"]).uri
        version = requested.version_id if requested and requested.version_id else meta["version"]
        modified = meta["last_modified"].timestamp()
        return ImageRef(uri, _etag(meta), int(meta["size"]), version, modified)


def _get(store: "ObjectStore", ref: ImageRef, options: "GetOptions") -> bytes:
    response = obstore.get(store, _key(ref), options=options)
    _check_etag(_etag(response.meta), ref)
    return bytes(response.bytes())


def _content_options(ref: ImageRef) -> "GetOptions":
    """Return the options that read exactly the content that `ref` names."""
    if ref.version_id is not None:
        return {"version": ref.version_id}
    if ref.etag:
        return {"if_match": f'"{ref.etag}"'}
    return {}


def _key(ref: ImageRef) -> str:
    """Return the object's key. Refuse slashes at its ends: obstore drops them."""
    key = parse_location(ref.uri).key
    if key.startswith("/") or key.endswith("/"):
        raise PictureError(ErrorCode.UNSUPPORTED_NAME, INEXPRESSIBLE)
    return key


def _etag(meta: "ObjectMeta") -> str:
    return (meta["e_tag"] or "").strip('"')


def _check_etag(etag: str, ref: ImageRef) -> None:
    """Raise `PictureError` for a response with other content than `ref` names.

    Without this check a proxy's web page with status 200 would be taken for the picture.
    """
    if not ref.etag or ref.version_id is not None or etag.removeprefix("W/") == ref.etag:
        return
    if etag:
        raise PictureError(ErrorCode.CHANGED, REPLACED)
    raise PictureError(ErrorCode.STORE_ERROR, NO_ETAG)


def _before(prefix: str) -> str | None:
    """Return a key that sorts shortly before `prefix`; None if there is no simple one."""
    last = prefix[-1]
    return f"{prefix[:-1]}{chr(ord(last) - 1)}~" if last.isascii() and last.isalnum() else None
