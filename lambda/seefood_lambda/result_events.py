"""Sends each row to an event bus, and so to a topic, a webhook or another function.

One event a row, none for a duplicate delivery: a mark below `announced/` is written after the
event was sent (`seefood.results.announced`). If the function stops in between, or the bus refuses,
the next delivery finds the row, which stays as it is, without a mark and sends the event. An event
can be repeated if the bus's answer is lost, or if the function stops or the store fails before the
mark is written, and by a delivery after the mark has expired.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from seefood.errors import JobError, RetryableError
from seefood.records import ImageRef, Row, utc_now
from seefood.results.announced import mark_location
from seefood.results.files import upload_location
from seefood.results.ledger import TRANSIENT
from seefood.storage import open_store
from seefood.storage.uris import Location
from seefood_lambda.event_bus import put_events
from seefood_lambda.result_writer import WriteResult

SOURCE: Final = "seefood"
DETAIL_TYPE: Final = "Picture Labelled"
_IN_FLIGHT: Final = timedelta(seconds=60)
"""Another delivery that created a row may still send its event for so long."""
_FIELDS: Final = (
    *("uri", "etag", "version_id", "label", "score", "status", "error_code", "error_message"),
    *("width", "height", "model", "model_digest", "classified_at"),
)


def announce(row: Row, written: WriteResult, results: Location, bus: str) -> bool:
    """Send the event of `row` unless it was sent before; return whether it was sent.

    Raises `RetryableError`: then the next delivery sends it.
    """
    ref = ImageRef(row.uri, row.etag)
    location = upload_location(results, row.model_digest, ref)
    store = open_store(location.root)
    try:
        document = row.as_json()
        if written is WriteResult.KEPT:
            document = json.loads(store.read(location.key))
        is_transient = document["error_code"] in TRANSIENT
        mark = mark_location(results, row.model_digest, ref, is_transient=is_transient)
        if _exists(store, mark.key):  # also of a row that `seefood compact` has moved
            return False
        age = utc_now() - _time(document["classified_at"])
        if written is WriteResult.KEPT and age < _IN_FLIGHT:
            raise RetryableError(f"another delivery may be sending the event of {row.uri}")
        put_event(document, bus)
        store.create(mark.key, b"{}")
    except (JobError, FileNotFoundError, ValueError, KeyError) as error:
        raise RetryableError(f"the event of {row.uri} cannot be sent: {error}") from error
    return True


def entry_of(document: dict[str, Any], bus: str) -> dict[str, str]:
    """Return the event of a row as an entry of PutEvents."""
    detail = {name: document.get(name) for name in _FIELDS}
    return {
        "Source": SOURCE,
        "DetailType": DETAIL_TYPE,
        "EventBusName": bus,
        "Detail": json.dumps(detail),
    }


def put_event(document: dict[str, Any], bus: str) -> None:
    """Send one row to the bus. Raises `RetryableError` unless EventBridge has taken it."""
    answer = put_events([entry_of(document, bus)])
    if answer.get("FailedEntryCount"):
        shown = json.dumps(answer.get("Entries"))[:300]
        raise RetryableError(f"the event bus {bus} refused an event: {shown}")


def _exists(store: Any, key: str) -> bool:
    try:
        store.read(key)
    except FileNotFoundError:
        return False
    return True


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
