"""The registry of event forms.

A `Request` is an event that wants a response of its own form; it is only recognised as a whole. A
`Notification` says that something happened to objects, and may be inside others: the wrappers are
removed one by one. The first form that matches reads the event. Another package may add forms with
`register_request` and `register_notification`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from seefood_lambda.events import (
    batch_operations,
    destination,
    eventbridge,
    http,
    messages,
    own,
    pings,
    s3,
    step_functions,
)
from seefood_lambda.events.fields import KNOWN, get, shown_fields, source_of
from seefood_lambda.events.values import (
    Batch,
    EventError,
    Ignored,
    Item,
    Message,
    ParsedEvent,
    Removal,
    Upload,
)

MAX_DEPTH: Final = 5
"""S3 in SNS in SQS in a failure destination's record is four."""

Unwrap = Callable[[Any], Iterable[Item]]


@dataclass(frozen=True, slots=True)
class Request:
    """A form of events that get a response of their own."""

    name: str
    matches: Callable[[Any], bool]
    read: Callable[[Any], ParsedEvent]


@dataclass(frozen=True, slots=True)
class Notification:
    """A form of events about objects; `read` unwraps what is inside with its second argument."""

    name: str
    matches: Callable[[Any], bool]
    read: Callable[[Any, Unwrap], Iterable[Item]]


def _plain(read: Callable[[Any], Iterable[Item]]) -> Callable[[Any, Unwrap], Iterable[Item]]:
    """Return `read` for a form that has nothing inside."""
    return lambda event, unwrap: read(event)  # noqa: ARG005 (the form of `Notification.read`)


REQUESTS: Final[list[Request]] = [
    Request("HTTP 2.0", http.is_url, http.read_url),
    Request("HTTP 1.0", http.is_rest_or_load_balancer, http.read_rest_or_load_balancer),
    Request("S3 Batch Operations", batch_operations.is_job, batch_operations.read_job),
    Request("SQS", messages.is_from_queue, lambda event: messages.read_queue(event, read_message)),
    Request("own", own.is_own, own.read_call),
    Request("Step Functions", step_functions.is_item, step_functions.read_items),
]

NOTIFICATIONS: Final[list[Notification]] = [
    Notification("S3 test", s3.is_test, _plain(s3.read_test)),
    Notification("S3", s3.is_record, _plain(s3.read_record)),
    Notification("SNS", messages.is_sns_record, messages.read_sns_record),
    Notification("SNS in SQS", messages.is_sns_envelope, messages.read_sns_envelope),
    Notification("SQS", messages.is_queue_record, messages.read_queue_record),
    Notification("Lambda destination", destination.is_record, destination.read_record),
    Notification("EventBridge", eventbridge.is_event, eventbridge.read_event),
    Notification("own", own.is_own, _plain(own.read_named)),
    Notification(
        "Step Functions",
        step_functions.is_item,
        _plain(lambda event: step_functions.read_items(event).uploads),
    ),
    Notification("ping", pings.is_ping, _plain(pings.read_ping)),
]


def register_request(form: Request) -> None:
    """Add a form before the existing ones."""
    REQUESTS.insert(0, form)


def register_notification(form: Notification) -> None:
    """Add a form before the existing ones."""
    NOTIFICATIONS.insert(0, form)


def parse_event(event: Any) -> ParsedEvent:
    """Return the parsed `event`. Raises `EventError` for one of an unknown form."""
    for form in REQUESTS:
        if form.matches(event):
            return form.read(event)
    return Batch((read_message(_event_id(event), event),), from_queue=False)


def read_message(identity: str, event: Any) -> Message:
    """Return the content of one delivery. Raises `EventError`."""
    items = list(_unwrap(event, MAX_DEPTH))
    return Message(
        identity,
        uploads=tuple(item for item in items if isinstance(item, Upload)),
        ignored=tuple(item.kind for item in items if isinstance(item, Ignored)),
        removals=tuple(item for item in items if isinstance(item, Removal)),
    )


def _unwrap(event: Any, depth: int) -> Iterable[Item]:
    """Return the items in `event`, removing its wrappers. Raises `EventError`."""
    if depth == 0:
        raise EventError(f"an event is wrapped more than {MAX_DEPTH} times; {KNOWN}")
    records = messages.records_of(event)
    if records is not None:
        if not records and isinstance(event, list):
            raise EventError(f"an event is an empty list; {KNOWN}")
        return [item for record in records for item in _unwrap_one(record, depth)]
    return list(_unwrap_one(event, depth))


def _unwrap_one(event: Any, depth: int) -> Iterable[Item]:
    for form in NOTIFICATIONS:
        if form.matches(event):
            return form.read(event, lambda inside: _unwrap(inside, depth - 1))
    if messages.records_of(event) is not None:
        return _unwrap(
            event, depth - 1
        )  # EventBridge Pipes with a transformer sends lists of events
    if not isinstance(event, dict):
        raise EventError(f"an event of type {type(event).__name__} is not supported; {KNOWN}")
    if source_of(event):
        raise EventError(f"a record of {source_of(event)[:80]} is no upload; {KNOWN}")
    raise EventError(f"an event of an unknown kind, with the fields {shown_fields(event)}; {KNOWN}")


def _event_id(event: Any) -> str:
    """Return the id that AWS gave this event, for logs."""
    records = messages.records_of(event)
    first = records[0] if records else None
    for candidate in (
        get(event, "id"),
        get(get(first, "Sns"), "MessageId"),
        get(get(first, "responseElements"), "x-amz-request-id"),
    ):
        if isinstance(candidate, str):
            return candidate
    return ""
