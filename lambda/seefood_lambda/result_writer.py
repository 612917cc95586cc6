"""Where a row is put, and which of two rows about the same content stays.

Rows have deterministic keys, so deliveries may repeat, overlap and arrive late. Two rules make the
end the same in every order: a row is only created, never overwritten; except that a row of a
failure which may have passed (`ledger.TRANSIENT`: gone, replaced, ...) gives way to one that
tells of
the picture itself.
"""

import json
from enum import StrEnum

from seefood.errors import JobError, RetryableError
from seefood.records import ImageRef, Row
from seefood.results.files import encode_json_row, upload_location
from seefood.results.ledger import TRANSIENT
from seefood.storage import open_store
from seefood.storage.uris import Location


class Written(StrEnum):
    """What `put_row` did."""

    CREATED = "created"
    REPLACED = "replaced"
    """The row that was there told of a failure that may have passed."""
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
        if row.error_code in TRANSIENT or not _is_passing(store.read(place.key)):
            return Written.KEPT
        store.write(place.key, encode_json_row(row))
    except FileNotFoundError as error:
        raise RetryableError(f"the row {place.uri} vanished while it was compared") from error
    except JobError as error:
        raise RetryableError(str(error)) from error
    return Written.REPLACED


def _is_passing(data: bytes) -> bool:
    """Whether the row in `data` tells of a passing failure; damaged rows count as such."""
    try:
        return json.loads(data)["error_code"] in TRANSIENT
    except (ValueError, KeyError, TypeError):
        return True
