"""A bucket key for key: obstore's part of a store where obstore has no words.

Every name that S3 allows is listed and read as it is; folder markers are told from empty objects; a
large prefix is listed in parallel.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from seefood.errors import ErrorCode, JobError, PictureError, UsageError
from seefood.records import ImageRef
from seefood.storage.credentials import CredentialChain
from seefood.storage.obstore_errors import EXPIRED_MESSAGE
from seefood.storage.parallel_listing import ParallelListing
from seefood.storage.s3_client import EXPIRED_CODES, Bucket, ReadOptions
from seefood.storage.s3_responses import S3Error, page_end, page_keys, read_page
from seefood.storage.uris import Location, parse_location

_CREDENTIALS: Final = CredentialChain()
_GONE: Final = frozenset({"NoSuchKey", "NoSuchVersion", "NoSuchBucket"})


class ExactBucket:
    """The reading half of a store, over our own client."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._bucket = Bucket(root.removeprefix("s3://"), _CREDENTIALS)

    def is_readable(self) -> bool:
        """Whether there are credentials to sign with, or none are wanted."""
        return self._bucket.is_readable()

    def list(self, prefix: str) -> Iterator[ImageRef]:
        """See `Store.list`. In the order of keys.

        Raises `JobError` for a listing that breaks off, whose first keys were good.
        """
        listing = ParallelListing(
            lambda after: self._bucket.page(prefix, after), page_end, page_keys, prefix=prefix
        )
        begun = False
        try:
            for page, last in listing.pages():
                begun = True
                for item in read_page(page):
                    if last is not None and item.key > last:
                        break
                    if not (item.key.endswith("/") and not item.size_bytes):
                        uri = Location(self._root, item.key).uri
                        yield ImageRef(uri, item.etag, item.size_bytes, None, item.modified)
        except (S3Error, OSError) as error:
            message = f"cannot list {self._root}/{prefix}: {_cause(error)}"
            raise (
                JobError(f"{message}; run it again") if begun else UsageError(message)
            ) from error

    def fetch(self, ref: ImageRef, *, first_bytes: int | None = None) -> bytes:
        """See `Store.fetch`."""
        key = parse_location(ref.uri).key
        with _reading():
            return self._bucket.get(key, ReadOptions(ref.etag, ref.version_id, first_bytes))

    def stat(self, ref: ImageRef) -> ImageRef:
        """See `Store.stat`."""
        with _reading():
            found = self._bucket.head(parse_location(ref.uri).key, ref.version_id)
        return ImageRef(ref.uri, found.etag, found.size_bytes, ref.version_id, found.modified)


@contextmanager
def _reading() -> Iterator[None]:
    """Turn what our own client raises for one picture into its `PictureError`."""
    try:
        yield
    except S3Error as error:
        if error.code in EXPIRED_CODES:
            raise JobError(EXPIRED_MESSAGE.format(code=error.code)) from error
        raise PictureError(*_meaning(error)) from error
    except OSError as error:
        raise PictureError(ErrorCode.STORE_ERROR, f"the store failed: {error}") from error


def _meaning(error: S3Error) -> tuple[ErrorCode, str]:
    """Return what S3's answer means for one picture; the words are those of `remote`."""
    if error.code == "InvalidObjectState":
        return ErrorCode.STORE_ERROR, "the object is archived; restore it first"
    if error.status == 404 or error.code in _GONE:
        return ErrorCode.NOT_FOUND, "the object is gone since it was listed"
    if error.status == 412:
        return ErrorCode.CHANGED, "the object was replaced since it was listed"
    if error.status in (401, 403):
        return ErrorCode.FORBIDDEN, "the credentials may not read it"
    return ErrorCode.STORE_ERROR, f"the store failed: {error}"


def _cause(error: S3Error | OSError) -> str:
    if isinstance(error, S3Error) and (error.status == 404 or error.code == "NoSuchBucket"):
        return "there is no such bucket; check its name and AWS_REGION"
    if isinstance(error, S3Error) and error.code in EXPIRED_CODES:
        return f"the store says {error.code}: the credentials have expired; renew them"
    if isinstance(error, S3Error) and error.status in (401, 403):
        return "the credentials may not list it; check them and the bucket's policy"
    return f"{error}; check the name, the region, the endpoint and the network"
