"""SQS and SNS, alone and in one another. EventBridge Pipes sends the records as a bare list."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from seefood_lambda.events.fields import get, parse_json, source_of
from seefood_lambda.events.values import Batch, EventError, Ignored, Item, Message

Unwrap = Callable[[Any], Iterable[Item]]
_SQS: Final = "aws:sqs"
_SNS_ADMINISTRATION: Final = frozenset({"SubscriptionConfirmation", "UnsubscribeConfirmation"})


def records_of(event: Any) -> list[Any] | None:
    """Return an event's records; None if it has none. EventBridge Pipes leaves the wrapper out."""
    records = event if isinstance(event, list) else get(event, "Records")
    return records if isinstance(records, list) else None


def is_from_queue(event: Any) -> bool:
    """Whether SQS sent it: then single messages can be returned."""
    records = records_of(event)
    return bool(records) and all(source_of(record) == _SQS for record in records or ())


def read_queue(event: Any, read: Callable[[str, Any], Message]) -> Batch:
    """Return the messages of SQS. An error concerns only its message."""
    return Batch(
        tuple(_read_message(record, read) for record in records_of(event) or ()), from_queue=True
    )


def _read_message(record: Any, read: Callable[[str, Any], Message]) -> Message:
    identity = str(get(record, "messageId", ""))
    try:
        return read(identity, body_of(record))
    except EventError as error:
        return Message(identity, error=str(error))


def body_of(record: Any) -> Any:
    """Return the value in one SQS message: JSON, or the URI of an object alone."""
    body = get(record, "body")
    if isinstance(body, str) and body.strip().startswith("s3://"):
        return body.strip()
    return parse_json(body)


def is_queue_record(record: Any) -> bool:
    """Whether `record` is one message of SQS."""
    return source_of(record) == _SQS


def read_queue_record(record: Any, unwrap: Unwrap) -> Iterable[Item]:
    """Return what one message of SQS asks for, inside another wrapper."""
    return unwrap(body_of(record))


def is_sns_record(record: Any) -> bool:
    """Whether `record` is one message that SNS sent to the function."""
    return isinstance(get(record, "Sns"), dict)


def read_sns_record(record: Any, unwrap: Unwrap) -> Iterable[Item]:
    """Return what one message of SNS asks for."""
    return unwrap(parse_json(record["Sns"].get("Message")))


def is_sns_envelope(event: Any) -> bool:
    """Whether SNS sent it to a queue."""
    return isinstance(event, dict) and "Type" in event and "Message" in event


def read_sns_envelope(event: Any, unwrap: Unwrap) -> Iterable[Item]:
    """Return what one message of SNS in a queue asks for."""
    if str(event["Type"]) in _SNS_ADMINISTRATION:
        return (Ignored(f"SNS: {event['Type']}"),)
    return unwrap(parse_json(event["Message"]))
