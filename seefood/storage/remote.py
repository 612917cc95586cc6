"""S3, Google Cloud Storage, Azure and memory, through obstore (Rust's object_store).

Credentials and settings come from the environment that each cloud's own tools read. Requests that
the store throttles, resets or answers with a 5xx are retried with back-off and jitter by obstore.
"""

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import obstore
from obstore import exceptions
from obstore.store import AzureStore, GCSStore, MemoryStore, S3Store

from seefood.errors import ErrorCode, JobError, PictureError, UsageError
from seefood.records import ImageRef
from seefood.uris import Location, parse_location

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

_CLIENT: Final["ClientConfig"] = {
    "connect_timeout": timedelta(seconds=5),
    "timeout": timedelta(seconds=60),
}
_RETRY: Final["RetryConfig"] = {
    "max_retries": 8,
    "retry_timeout": timedelta(seconds=120),
    "backoff": {
        "init_backoff": timedelta(milliseconds=100),
        "max_backoff": timedelta(seconds=10),
        "base": 2,
    },
}
_LIST_PAGE: Final = 1000

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
                    elif stem and self._sorted and meta["path"] > prefix:
                        return
        except (exceptions.BaseError, OSError, ValueError) as error:
            raise UsageError(
                f"cannot list {self._root}/{prefix}: {_listing_cause(error)}"
            ) from error

    def fetch(self, ref: ImageRef, *, first_bytes: int | None = None) -> bytes:
        """See `Store.fetch`. Reads the version that was listed, or fails if the tag differs."""
        options = self._exactly(ref)
        if first_bytes is not None:
            options["range"] = (0, first_bytes)
        try:
            return bytes(obstore.get(self._store, _key(ref), options=options).bytes())
        except PictureError:
            raise
        except Exception as error:
            raise translate(error) from error

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
            raise translate(error) from error
        return ImageRef(ref.uri, _tag(meta), int(meta["size"]), ref.version_id or meta["version"])

    def read(self, key: str) -> bytes:
        """See `Store.read`."""
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except FileNotFoundError:
            raise
        except Exception as error:
            raise JobError(f"cannot read {self._root}/{key}: {translate(error)}") from error

    def write(self, key: str, data: bytes) -> None:
        """See `Store.write`: one PUT, or a multipart upload that becomes visible as a whole."""
        try:
            obstore.put(self._store, key, data)
        except Exception as error:
            raise JobError(
                f"cannot write {self._root}/{key}: {translate(error)}; check the bucket and its "
                "permissions, then run the same command again"
            ) from error

    def create(self, key: str, data: bytes) -> bool:
        """See `Store.create`: one conditional PUT (`If-None-Match: *`)."""
        try:
            obstore.put(self._store, key, data, mode="create")
        except exceptions.AlreadyExistsError:
            return False
        except Exception as error:
            raise JobError(f"cannot write {self._root}/{key}: {translate(error)}") from error
        return True

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        try:
            obstore.delete(self._store, key)
        except FileNotFoundError:
            return
        except Exception as error:
            raise JobError(f"cannot delete {self._root}/{key}: {translate(error)}") from error

    @property
    def _sorted(self) -> bool:
        """Whether listings are in order of keys; S3's directory buckets are not."""
        return not self._root.endswith("--x-s3")

    def _ref(self, meta: "ObjectMeta") -> ImageRef:
        uri = Location(self._root, meta["path"]).uri
        return ImageRef(uri, _tag(meta), int(meta["size"]), meta["version"])

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


def translate(error: Exception) -> PictureError:
    """Return what `error` of obstore means for one picture, by one table."""
    for kind, code, meaning in _CODES:
        if isinstance(error, kind):
            said = _first_line(error) if code is ErrorCode.STORE_ERROR else ""
            return PictureError(code, f"{meaning}: {said}" if said else meaning)
    return PictureError(ErrorCode.STORE_ERROR, f"the store failed: {_first_line(error)}")


def open_remote(root: str) -> RemoteStore:
    """Return the store of `root`. Raises `UsageError` if its settings make no sense."""
    scheme, _, name = root.partition("://")
    try:
        if scheme == "memory":
            return RemoteStore(root, MemoryStore())
        if scheme == "s3":
            return RemoteStore(root, _s3(name))
        if scheme == "gs":
            return RemoteStore(root, GCSStore(name, client_options=_CLIENT, retry_config=_RETRY))
        return RemoteStore(root, AzureStore(name, client_options=_CLIENT, retry_config=_RETRY))
    except (exceptions.BaseError, ValueError) as error:
        raise UsageError(f"cannot open {root}: {_first_line(error)}") from error


def _s3(bucket: str) -> S3Store:
    """Return the bucket with the settings that AWS's own tools read."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    client: ClientConfig = {
        **_CLIENT,
        "allow_http": bool(endpoint and endpoint.startswith("http:")),
    }
    settings: dict[str, Any] = {"endpoint": endpoint} if endpoint else {}
    if _needs_boto3():
        from obstore.auth.boto3 import Boto3CredentialProvider  # noqa: PLC0415 (half a second)

        settings["credential_provider"] = Boto3CredentialProvider()
    return S3Store(bucket, client_options=client, retry_config=_RETRY, **settings)


def _needs_boto3() -> bool:
    """Whether the credentials lie in a profile, which boto3 reads and obstore does not."""
    env = os.environ
    if "AWS_ACCESS_KEY_ID" in env and "AWS_PROFILE" not in env:
        return False
    profile = "AWS_PROFILE" in env or (Path.home() / ".aws" / "credentials").is_file()
    return profile and find_spec("boto3") is not None


def _before(prefix: str) -> str | None:
    """Return a key that sorts just before `prefix`; None where there is no simple one."""
    last = prefix[-1]
    return f"{prefix[:-1]}{chr(ord(last) - 1)}~" if last.isascii() and last.isalnum() else None


def _listing_cause(error: Exception) -> str:
    text = str(error)
    if isinstance(error, FileNotFoundError) or "NoSuchBucket" in text:
        return "there is no such bucket; check its name and AWS_REGION"
    if isinstance(error, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError):
        return "the credentials may not list it; check them and the bucket's policy"
    return f"{_first_line(error)}; check the name, the region, the endpoint and the network"


def _first_line(error: Exception) -> str:
    """Return the beginning of obstore's message, without addresses' query strings (signatures)."""
    line = " ".join(str(error).split("\n\nDebug source:")[0].split())
    return re.sub(r"(https?://[^\s?]+)\?\S+", r"\1", line)[:300]
