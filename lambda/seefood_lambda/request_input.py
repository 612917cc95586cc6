"""What callers may send: bytes as base64, and the names of objects in buckets that are on a list.

A name is fetched with this function's own permissions, so whose names are taken is the operator's
decision; files and web addresses never are.
"""

import base64
import binascii
from collections.abc import Set as AbstractSet

from seefood.errors import SeefoodError
from seefood.records import ImageRef


class NotAllowedError(SeefoodError):
    """A name that is not fetched for this caller."""


class NotBase64Error(SeefoodError):
    """A text that is no base64."""


def named_object(uri: str, allowed_buckets: AbstractSet[str]) -> ImageRef:
    """Return the object `uri` names. Raises `NotAllowedError` unless its bucket is on the list."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or bucket not in allowed_buckets or not key:
        raise NotAllowedError(
            "only s3://bucket/key is read by name, and only of buckets on this function's list "
            "(SEEFOOD_ALLOWED_BUCKETS); send the picture itself"
        )
    return ImageRef(uri)


def from_base64(text: str) -> bytes:
    """Return the bytes that `text` stands for. Raises `NotBase64Error`."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotBase64Error(f"not base64: {error}") from error
