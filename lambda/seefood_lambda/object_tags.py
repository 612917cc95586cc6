"""Sets the label as a tag on the uploaded object, for rules that read tags (life cycle, ...).

S3 replaces all tags of an object at once, so the existing tags are read and kept. With versioning
exactly the classified version is tagged. Without it the object is checked again before the tag is
set: if it was replaced, the event of the new content sets the tag.
"""

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from seefood.errors import PictureError, RetryableError, StopError
from seefood.records import ImageRef, Row, Status
from seefood.storage import open_store
from seefood.storage.uris import parse_location

if TYPE_CHECKING:
    from seefood.storage.s3_client import S3Client

MAX_TAGS: Final = 10
"""S3's limit for one object."""
_MAX_VALUE_CHARACTERS: Final = 256
_NOT_ALLOWED: Final = re.compile(r"[^\w +\-=.:/@]")


def tag_value(row: Row) -> str:
    """Return the tag's value for `row`: its label, or `unsure`, in characters that S3 allows."""
    text = row.label if row.status is Status.OK else str(row.status)
    return _NOT_ALLOWED.sub("_", text or "")[:_MAX_VALUE_CHARACTERS]


def tag_object(ref: ImageRef, key: str, row: Row) -> str | None:
    """Set the tag `key` on exactly `ref`. Return None, or why it cannot be set.

    Idempotent. Raises `RetryableError` if S3 refuses or fails.
    """
    location = parse_location(ref.uri)
    if not location.root.startswith("s3://"):
        return f"{location.root} does not support tags"
    from seefood.storage.s3_responses import S3Error  # noqa: PLC0415 (botocore: a third of a second)

    bucket, value = _bucket(location.root.removeprefix("s3://")), tag_value(row)
    try:
        tags = bucket.tags(location.key, ref.version_id)
        if tags.get(key) == value:
            return None
        if key not in tags and len(tags) >= MAX_TAGS:
            return f"the object has {len(tags)} tags already, and S3 allows no more"
        if ref.version_id is None and open_store(location.root).stat(ref).etag != ref.etag:
            return "the object was replaced"
        bucket.put_tags(location.key, {**tags, key: value}, ref.version_id)
    except S3Error as error:
        if error.status == 404:
            return "the object is gone"
        raise RetryableError(f"cannot tag {ref.uri}: {error}") from error
    except (PictureError, StopError, OSError) as error:
        raise RetryableError(f"cannot tag {ref.uri}: {error}") from error
    return None


@cache
def _bucket(name: str) -> "S3Client":
    from seefood.storage.s3_client import S3Client  # noqa: PLC0415 (as above)

    return S3Client(name)
