"""Lists and reads S3 keys that obstore cannot express.

Every key that S3 allows is listed and read unchanged, folder markers are told from empty objects,
and large prefixes are listed in parallel.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from seefood.errors import ErrorCode, JobError, PictureError
from seefood.records import ImageRef
from seefood.storage.aws_errors import CredentialsError
from seefood.storage.parallel_listing import ParallelListing
from seefood.storage.read_failures import (
    ARCHIVED,
    CHECK_CONNECTION,
    DENIED,
    EXPIRED_CODES,
    FAILED,
    GONE,
    INEXPRESSIBLE,
    LISTING_DENIED,
    NO_BUCKET,
    REPLACED,
    expired_message,
    listing_error,
)
from seefood.storage.s3_client import ReadOptions, S3Client
from seefood.storage.s3_responses import S3Error, page_end, page_keys, read_page
from seefood.storage.uris import Location, parse_location

_GONE_CODES: Final = frozenset({"NoSuchKey", "NoSuchVersion", "NoSuchBucket"})


class ExactKeyReader:
    """The reading half of `Store` for one bucket."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._client = S3Client(root.removeprefix("s3://"))

    def list(self, prefix: str) -> Iterator[ImageRef]:
        """See `Store.list`. Sorted by key.

        Raises `JobError` if the listing fails after its first page.
        """
        listing = ParallelListing(
            lambda after: self._client.list_page(prefix, after), page_end, page_keys, prefix=prefix
        )
        has_begun = False
        try:
            for page, last in listing.pages():
                has_begun = True
                for item in read_page(page):
                    if last is not None and item.key > last:
                        break
                    if not (item.key.endswith("/") and not item.size_bytes):
                        uri = Location(self._root, item.key).uri
                        yield ImageRef(uri, item.etag, item.size_bytes, None, item.modified)
        except CredentialsError as error:
            if has_begun:
                raise JobError(str(error)) from error
            raise
        except (S3Error, OSError) as error:
            cause = _listing_cause(error)
            raise listing_error(f"{self._root}/{prefix}", cause, has_begun=has_begun) from error

    def fetch(self, ref: ImageRef, *, first_bytes: int | None = None) -> bytes:
        """See `Store.fetch`."""
        key = parse_location(ref.uri).key
        with _errors_of_one_picture():
            return self._client.get(key, ReadOptions(ref.etag, ref.version_id, first_bytes))

    def stat(self, ref: ImageRef) -> ImageRef:
        """See `Store.stat`."""
        with _errors_of_one_picture():
            now = self._client.head(parse_location(ref.uri).key, ref.version_id)
        return ImageRef(ref.uri, now.etag, now.size_bytes, ref.version_id, now.modified)


@contextmanager
def _errors_of_one_picture() -> Iterator[None]:
    """Turn the client's exceptions into `PictureError`, expired credentials into `JobError`."""
    try:
        yield
    except CredentialsError as error:
        raise JobError(str(error)) from error
    except S3Error as error:
        if error.code in EXPIRED_CODES:
            raise JobError(expired_message(error.code)) from error
        raise _picture_error(error) from error
    except OSError as error:
        raise PictureError(ErrorCode.STORE_ERROR, f"{FAILED}: {error}") from error
    except UnicodeError as error:  # a lone surrogate, which no key of S3 has
        raise PictureError(ErrorCode.UNSUPPORTED_NAME, INEXPRESSIBLE) from error


def _picture_error(error: S3Error) -> PictureError:
    if error.code == "InvalidObjectState":
        return PictureError(ErrorCode.STORE_ERROR, ARCHIVED)
    if error.status == 404 or error.code in _GONE_CODES:
        return PictureError(ErrorCode.NOT_FOUND, GONE)
    if error.status == 412:
        return PictureError(ErrorCode.CHANGED, REPLACED)
    if error.status in (401, 403):
        return PictureError(ErrorCode.FORBIDDEN, DENIED)
    return PictureError(ErrorCode.STORE_ERROR, f"{FAILED}: {error}")


def _listing_cause(error: S3Error | OSError) -> str:
    if isinstance(error, S3Error):
        if error.status == 404 or error.code == "NoSuchBucket":
            return NO_BUCKET
        if error.code in EXPIRED_CODES:
            return f"the store says {error.code}: the credentials have expired; renew them"
        if error.status in (401, 403):
            return LISTING_DENIED
        if error.status in (301, 307):
            return f"{error}; the bucket is in another region: set AWS_REGION"
    return f"{error}; {CHECK_CONNECTION}"
