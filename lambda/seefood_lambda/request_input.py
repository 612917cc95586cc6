"""Checks what callers send: pictures as base64, and URIs of objects in allowed buckets.

A named object is read with the function's own permissions. So the operator lists the buckets that
callers may name, and over HTTP only a caller whom IAM let in may name one: an address that is open
to strangers must not tell which private pictures exist, or what they show. Local files and web
addresses are never read.
"""

import base64
import binascii
import re
from collections.abc import Set as AbstractSet
from typing import Final
from urllib.parse import unquote_to_bytes

from seefood.errors import SeefoodError
from seefood.records import ImageRef

_DATA_URL: Final = re.compile(r"\s*data:([^,]*),", re.IGNORECASE)
_WHITESPACE: Final = re.compile(r"\s+")
_ALPHABET: Final = re.compile(r"[A-Za-z0-9+/]*")


class NotAllowedError(SeefoodError):
    """A URI that this caller may not name."""


class NotBase64Error(SeefoodError):
    """A text that is not base64."""


def named_object(uri: str, allowed_buckets: AbstractSet[str]) -> ImageRef:
    """Return the object at `uri`. Raises `NotAllowedError` unless its bucket is allowed."""
    check_name(uri, allowed_buckets)
    return ImageRef(uri)


def check_name(uri: str, allowed_buckets: AbstractSet[str]) -> None:
    """Raise `NotAllowedError` unless `uri` is an object in an allowed bucket."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or bucket not in allowed_buckets or not key:
        raise NotAllowedError(
            "only s3://bucket/key is read by name, and only of buckets on this function's list "
            "(SEEFOOD_ALLOWED_BUCKETS); send the picture itself"
        )


def refuse_stranger() -> None:
    """Raise the same `NotAllowedError` whatever a stranger names."""
    raise NotAllowedError(
        "an object is read by name only for callers whom IAM let in; send the picture itself"
    )


def from_base64(text: str) -> bytes:
    """Return the bytes that `text` encodes. Raises `NotBase64Error`.

    Takes the forms that people send: the standard and the URL-safe alphabet, wrapped lines, with
    and without padding, and data URLs.
    """
    header = _DATA_URL.match(text)
    if header is not None:
        content = unquote_to_bytes(text[header.end() :])
        if not header[1].strip().lower().endswith("base64"):
            return content
        text = content.decode("latin-1")
    packed = _WHITESPACE.sub("", text).rstrip("=").replace("-", "+").replace("_", "/")
    if not _ALPHABET.fullmatch(packed):
        raise NotBase64Error("not base64: it has other characters than A-Z a-z 0-9 + / - _ =")
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotBase64Error(f"not base64: {error}") from error
