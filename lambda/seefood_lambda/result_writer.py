"""Writes the row of an upload, and decides which of two rows about the same content stays.

Rows have deterministic keys, so deliveries may repeat, overlap and arrive late. Two rules give the
same final row in every order: a row is created and never overwritten, except that the row of a
transient failure (`ledger.TRANSIENT`: gone, replaced, ...) is replaced by the row of a picture that
was read.
"""

import json
from enum import StrEnum

from seefood.errors import JobError, RetryableError
from seefood.features.files import write_upload_features
from seefood.records import ImageRef, Row
from seefood.results.files import upload_location
from seefood.results.formats.jsonl import encode_json_row
from seefood.results.ledger import TRANSIENT
from seefood.storage import open_store
from seefood.storage.uris import Location


class WriteResult(StrEnum):
    """What `put_row` did."""

    CREATED = "created"
    REPLACED = "replaced"
    """The existing row described a transient failure."""
    KEPT = "kept"
    """The existing row stays: this is a duplicate or late delivery."""


def put_row(row: Row, results: Location) -> WriteResult:
    """Write `row` under its key unless an existing row must stay.

    Idempotent and safe under concurrent calls. Raises `RetryableError`.
    """
    location = upload_location(results, row.model_digest, ImageRef(row.uri, row.etag))
    store = open_store(location.root)
    try:
        write_upload_features(row, results)  # before the row: a picture with a row has its features
        if store.create(location.key, encode_json_row(row)):
            return WriteResult.CREATED
        if row.error_code in TRANSIENT or not _is_transient(store.read(location.key)):
            return WriteResult.KEPT
        store.write(location.key, encode_json_row(row))
    except FileNotFoundError as error:
        raise RetryableError(f"the row {location.uri} vanished while it was compared") from error
    except JobError as error:
        raise RetryableError(str(error)) from error
    return WriteResult.REPLACED


def _is_transient(data: bytes) -> bool:
    """Whether the row in `data` describes a transient failure; a damaged row counts as one."""
    try:
        return json.loads(data)["error_code"] in TRANSIENT
    except (ValueError, KeyError, TypeError):
        return True
