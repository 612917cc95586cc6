"""Checks what callers send: pictures as base64, and URIs of objects in allowed buckets.

A named object is read with the function's own permissions. So the operator lists the buckets that
callers may name; local files and web addresses are never read.
"""

import base64
import binascii
from collections.abc import Set as AbstractSet

from seefood.errors import SeefoodError
from seefood.records import ImageRef


class NotAllowedError(SeefoodError):
    """A URI that this caller may not name."""


class NotBase64Error(SeefoodError):
    """A text that is not base64."""


def named_object(uri: str, allowed_buckets: AbstractSet[str]) -> ImageRef:
    """Return the object at `uri`. Raises `NotAllowedError` unless its bucket is allowed."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or bucket not in allowed_buckets or not key:
        raise NotAllowedError(
            "only s3://bucket/key is read by name, and only of buckets on this function's list "
            "(SEEFOOD_ALLOWED_BUCKETS); send the picture itself"
        )
    return ImageRef(uri)


def from_base64(text: str) -> bytes:
    """Return the bytes that `text` encodes. Raises `NotBase64Error`."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotBase64Error(f"not base64: {error}") from error
