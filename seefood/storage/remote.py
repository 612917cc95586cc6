"""Google Cloud Storage, Azure and memory, through obstore (Rust's object_store); S3 builds on it.

Credentials and settings come from the environment that each cloud's own tools read. Requests that
the store throttles, resets or answers with a 5xx are retried with back-off and jitter by obstore.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import obstore
from obstore import exceptions
from obstore.store import AzureStore, GCSStore, MemoryStore

from seefood.errors import ErrorCode, JobError, PictureError, SeefoodError, UsageError
from seefood.records import ImageRef
from seefood.uris import Location, parse_location

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

CLIENT: Final["ClientConfig"] = {
    "connect_timeout": timedelta(seconds=5),
    "timeout": timedelta(seconds=60),
}
RETRY: Final["RetryConfig"] = {
    "max_retries": 8,
    "retry_timeout": timedelta(seconds=120),
    "backoff": {
        "init_backoff": timedelta(milliseconds=100),
        "max_backoff": timedelta(seconds=10),
        "base": 2,
    },
}
_LIST_PAGE: Final = 1000

EXPIRED: Final = re.compile("(ExpiredToken|TokenRefreshRequired|RequestTimeTooSkewed)")
"""S3's words for credentials that were good and are no longer: no picture's fault."""
EXPIRED_MESSAGE: Final = (
    "the store says {code}: the credentials have expired (or this clock is wrong); renew them and "
    "run the same command again, it goes on where it stopped"
)
NO_TAG: Final = "the answer has no entity tag: something else than the store gave it"
# Every exception that obstore documents, and what it means for one picture.
_CODES: Final[tuple[tuple[type[Exception], ErrorCode, str], ...]] = (
    (FileNotFoundError, ErrorCode.NOT_FOUND, "the object is gone since it was listed"),
    (
        exceptions.PreconditionError,
        ErrorCode.CHANGED,
        "the object was replaced since it was listed",
    ),
    (exceptions.NotModifiedError, ErrorCode.CHANGED, "the object was replaced since it was listed"),
    (exceptions.PermissionDeniedError, ErrorCode.FORBIDDEN, "the credentials may not read it"),
    (exceptions.UnauthenticatedError, ErrorCode.FORBIDDEN, "the store knows no such credentials"),
    (exceptions.InvalidPathError, ErrorCode.UNSUPPORTED_NAME, "the client cannot express the name"),
    (ValueError, ErrorCode.UNSUPPORTED_NAME, "the client cannot express the name"),
    (exceptions.BaseError, ErrorCode.STORE_ERROR, "the store failed"),
    (OSError, ErrorCode.STORE_ERROR, "the store failed"),
)


class RemoteStore:
    """One bucket, container or memory behind an obstore store; keys are the objects' names."""

    def __init__(self, root: str, store: "ObjectStore") -> None:
        """`root` is the beginning of the URIs of what lies in `store`, such as `s3://bucket`."""
        self._root = root
        self._store = store
        self.is_remote = not root.startswith("memory:")
        self.is_sorted = True
        """Whether listings are in the order of keys."""

    def list(self, prefix: str) -> Iterator[ImageRef]:
        """See `Store.list`. Keys come in the store's order, a page at a time."""
        folder, _, stem = prefix.rpartition("/")
        # obstore lists by folder; starting just before the prefix spares what sorts below it.
        offset = _before(prefix) if stem else None
        stream = obstore.list(self._store, folder or None, offset=offset, chunk_size=_LIST_PAGE)
        try:
            for page in stream:
                for meta in page:
                    if meta["path"].startswith(prefix):
                        yield self._ref(meta)
                    elif stem and self.is_sorted and meta["path"] > prefix:
                        return
        except (exceptions.BaseError, OSError, ValueError) as error:
            raise UsageError(
                f"cannot list {self._root}/{prefix}: {listing_cause(error)}"
            ) from error

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
            raise _read_error(error) from error

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
            raise _read_error(error) from error
        return self._ref(meta, ref)

    def read(self, key: str) -> bytes:
        """See `Store.read`."""
        try:
            answer = obstore.get(self._store, key)
            if not _tag(answer.meta):
                raise JobError(f"cannot read {self._root}/{key}: {NO_TAG}; try again")
            return bytes(answer.bytes())
        except (FileNotFoundError, JobError):
            raise
        except Exception as error:
            raise JobError(f"cannot read {self._root}/{key}: {translate(error)}") from error

    def write(self, key: str, data: bytes) -> None:
        """See `Store.write`: one PUT, or a multipart upload that becomes visible as a whole."""
        try:
            obstore.put(self._store, key, data)
        except Exception as error:
            cause = _cause(error, "write")
            raise JobError(
                f"cannot write {self._root}/{key}: {cause}; check the bucket and its permissions, "
                "then run the same command again"
            ) from error

    def create(self, key: str, data: bytes) -> bool:
        """See `Store.create`: one conditional PUT (`If-None-Match: *`)."""
        try:
            obstore.put(self._store, key, data, mode="create")
        except exceptions.AlreadyExistsError:
            return False
        except Exception as error:
            message = f"cannot write {self._root}/{key}: {_cause(error, 'write')}"
            raise JobError(message) from error
        return True

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        try:
            obstore.delete(self._store, key)
        except FileNotFoundError:
            return
        except Exception as error:
            message = f"cannot delete {self._root}/{key}: {_cause(error, 'delete')}"
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


def _read_error(error: Exception) -> SeefoodError:
    """Return what stops the job, or what `error` means for one picture."""
    if expired := EXPIRED.search(str(error)):
        return JobError(EXPIRED_MESSAGE.format(code=expired[1]))
    return translate(error)


def translate(error: Exception) -> PictureError:
    """Return what `error` of obstore means for one picture, by one table."""
    if "InvalidObjectState" in str(error):
        return PictureError(ErrorCode.STORE_ERROR, "the object is archived; restore it first")
    for kind, code, meaning in _CODES:
        if isinstance(error, kind):
            said = first_line(error) if code is ErrorCode.STORE_ERROR else ""
            return PictureError(code, f"{meaning}: {said}" if said else meaning)
    return PictureError(ErrorCode.STORE_ERROR, f"the store failed: {first_line(error)}")


def _cause(error: Exception, doing: str) -> str:
    """Return why `doing` something else than reading failed."""
    if isinstance(error, exceptions.PermissionDeniedError):
        return f"the credentials may not {doing} it"
    return str(translate(error))


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


def listing_cause(error: Exception) -> str:
    """Return why a listing failed and what to look at."""
    text = str(error)
    if isinstance(error, FileNotFoundError) or "NoSuchBucket" in text:
        return "there is no such bucket; check its name and AWS_REGION"
    if isinstance(error, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError):
        return "the credentials may not list it; check them and the bucket's policy"
    return f"{first_line(error)}; check the name, the region, the endpoint and the network"


def first_line(error: Exception) -> str:
    """Return the beginning of obstore's message, without addresses' query strings (signatures)."""
    line = " ".join(str(error).split("\n\nDebug source:")[0].split())
    return re.sub(r"(https?://[^\s?]+)\?\S+", r"\1", line)[:300]
