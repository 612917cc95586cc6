"""Where a row is put, and which of two rows about the same content stays.

Rows have deterministic keys, so deliveries may repeat, overlap and arrive late. Two rules make the
end the same in every order: a row is only created, never overwritten; except that a row which says
that the picture could not be read gives way to one that has read it.
"""

import json
from enum import StrEnum
from typing import Final

from seefood.errors import ErrorCode, JobError, RetryableError
from seefood.records import ImageRef, Row
from seefood.results import encode_json_row, upload_location
from seefood.storage import open_store
from seefood.uris import Location

UNREAD: Final = frozenset({ErrorCode.NOT_FOUND, ErrorCode.CHANGED})
"""Failures of the moment and not of the content: the same content may come back and be read."""


class Written(StrEnum):
    """What `put_row` did."""

    CREATED = "created"
    REPLACED = "replaced"
    """The row that was there said that the picture could not be read."""
    KEPT = "kept"
    """A row is there already: a duplicate or late delivery."""


def put_row(row: Row, results: Location) -> Written:
    """Write `row` where the contract wants it, unless one is there.

    Idempotent, and safe beside others that do the same. Raises `RetryableError`.
    """
    place = upload_location(results, row.model_digest, ImageRef(row.uri, row.etag))
    store = open_store(place.root)
    try:
        if store.create(place.key, encode_json_row(row)):
            return Written.CREATED
        if row.error_code in UNREAD or not _is_unread(store.read(place.key)):
            return Written.KEPT
        store.write(place.key, encode_json_row(row))
    except FileNotFoundError as error:
        raise RetryableError(f"the row {place.uri} vanished while it was compared") from error
    except JobError as error:
        raise RetryableError(str(error)) from error
    return Written.REPLACED


def _is_unread(data: bytes) -> bool:
    """Whether the row in `data` says that the picture was not read; damaged rows count as such."""
    try:
        return json.loads(data)["error_code"] in UNREAD
    except (ValueError, KeyError, TypeError):
        return True
