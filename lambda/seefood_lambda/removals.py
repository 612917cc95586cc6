"""Removes the rows of pictures that were removed, if the operator wants it (SEEFOOD_REMOVED).

Only rows of this function go: those of the batch job are many to an object, and readers take them
for what was there at that time. The mark that a row's event was sent goes before the row: the same
picture uploaded again is a new row, with an event.
"""

import json
from collections.abc import Iterable

from seefood.errors import JobError, PictureError, RetryableError, UsageError
from seefood.records import ImageRef
from seefood.results.announced import mark_location
from seefood.results.files import upload_prefix
from seefood.storage import current_etag, open_store
from seefood.storage.uris import Location, parse_location
from seefood_lambda.events import Removal


def remove_rows(
    removal: Removal, results: Location, digest: str, *, has_marks: bool = False
) -> int:
    """Delete the rows of a removed object under the model `digest`; return how many.

    With `has_marks` their marks, too. Events may come late: the row of what is there now stays.
    Idempotent. Raises `RetryableError`.
    """
    prefix = upload_prefix(results, digest, removal.uri)
    store = open_store(prefix.root)
    removed = 0
    try:
        current = current_etag(removal.uri)
        for ref in store.list(prefix.key):
            key = parse_location(ref.uri).key
            try:
                labelled = _labelled(store.read(key), ref.uri)
            except FileNotFoundError:
                continue
            if labelled.uri != removal.uri or labelled.etag == current:
                continue
            if removal.version_id not in {None, labelled.version_id}:
                continue
            for is_transient in (True, False) if has_marks else ():
                mark = mark_location(results, digest, labelled, is_transient=is_transient)
                store.delete(mark.key)
            store.delete(key)
            removed += 1
    except (PictureError, JobError, UsageError, OSError, ValueError) as error:
        raise RetryableError(f"the rows of {removal.uri} cannot be removed: {error}") from error
    return removed


def _labelled(data: bytes, uri: str) -> ImageRef:
    """Return the object that the row in `data` describes. Raises `ValueError` if it is damaged."""
    try:
        row = json.loads(data)
    except ValueError:
        row = None
    match row:
        case {"uri": str(picture), "etag": str(etag)}:
            return ImageRef(picture, etag, version_id=row.get("version_id"))
    message = f"the row {uri} is damaged; delete it"
    raise ValueError(message)


def remove_all(
    removals: Iterable[Removal], results: Location, digest: str, *, has_marks: bool
) -> int:
    """Delete the rows of all removed objects; return how many. Raises `RetryableError`."""
    return sum(
        remove_rows(removal, results, digest, has_marks=has_marks)
        for removal in dict.fromkeys(removals)
    )
