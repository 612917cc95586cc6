"""Parses the events that AWS sends into values. No I/O; every field is checked.

An upload may arrive as S3's own notification, through EventBridge, inside an SNS message, and any
of these inside an SQS message; the wrappers are removed one by one. S3 percent-encodes keys in its
notifications (`+` for a space), also inside SQS and SNS; EventBridge does not encode keys.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_plus

from seefood.errors import SeefoodError
from seefood.records import ImageRef

_CREATED: Final = "ObjectCreated"
_EVENTBRIDGE_CREATED: Final = "Object Created"
_MAX_DEPTH: Final = 4  # S3 in SNS in SQS is three


class EventError(SeefoodError):
    """An event of an unknown kind, or one that lacks a required field."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One object that was uploaded."""

    ref: ImageRef
    """Without an entity tag if the event has none: then it is read from the store."""
    sequencer: str = ""
    """S3's order of the events of one key, hexadecimal; empty if the event has none."""


@dataclass(frozen=True, slots=True)
class Message:
    """The uploads of one delivery, which succeeds or fails as a whole."""

    id: str
    """SQS's message id, or an id of the event for logs."""
    uploads: tuple[Upload, ...] = ()
    ignored: tuple[str, ...] = ()
    """Kinds of events in it that are no uploads (a deletion, S3's test event) and need no work."""
    error: str | None = None
    """Why the message cannot be parsed."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Uploads to label."""

    messages: tuple[Message, ...]
    from_queue: bool
    """Whether single messages can be returned for another delivery (SQS)."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request of a Function URL or an API Gateway HTTP API (payload format 2.0)."""

    id: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """With names in lower case."""
    body: str
    is_base64: bool


@dataclass(frozen=True, slots=True)
class Invocation:
    """A direct call: exactly one of the two is set."""

    uri: str | None = None
    image: str | None = None
    """Base64."""


ParsedEvent = Batch | HttpRequest | Invocation


def parse_event(event: Any) -> ParsedEvent:
    """Return the parsed `event`. Raises `EventError` for one of an unknown kind."""
    if not isinstance(event, dict):
        raise EventError(f"an event of type {type(event).__name__} is not supported; {_KNOWN}")
    if isinstance(event.get("requestContext"), dict) and "http" in event["requestContext"]:
        return _http_request(event)
    if "uri" in event or "image" in event:
        return _invocation(event)
    records = event.get("Records")
    if isinstance(records, list) and records and _source(records[0]) == "aws:sqs":
        return Batch(tuple(map(_sqs_message, records)), from_queue=True)
    return Batch((_message(_event_id(event), event),), from_queue=False)


def order_of(upload: Upload) -> tuple[str, str]:
    """Return a key that sorts the events of one object by time.

    As AWS documents, sequencers are padded with zeros on the right to equal length.
    """
    return upload.ref.uri, upload.sequencer.ljust(64, "0")


_KNOWN: Final = (
    "this function takes S3 notifications (direct, in SQS, in SNS, through EventBridge), HTTP "
    'requests of payload format 2.0, {"uri": "s3://bucket/key"} and {"image": "<base64>"}'
)


def _sqs_message(record: Any) -> Message:
    """Return the message of one SQS record. An error concerns only this message."""
    identity = str(_get(record, "messageId", ""))
    try:
        return _message(identity, _json(_get(record, "body", None)))
    except EventError as error:
        return Message(identity, error=str(error))


def _message(identity: str, event: Any) -> Message:
    uploads: list[Upload] = []
    ignored: list[str] = []
    _unwrap(event, uploads, ignored, _MAX_DEPTH)
    return Message(identity, tuple(uploads), tuple(ignored))


def _unwrap(event: Any, uploads: list[Upload], ignored: list[str], depth: int) -> None:
    """Collect the uploads and ignored kinds in `event`, removing its wrappers."""
    if depth == 0:
        raise EventError(f"an event is wrapped more than {_MAX_DEPTH} times; {_KNOWN}")
    if not isinstance(event, dict):
        raise EventError(f"an event of type {type(event).__name__} is not supported; {_KNOWN}")
    if isinstance(event.get("Records"), list):
        for record in event["Records"]:
            _unwrap_record(record, uploads, ignored, depth)
    elif event.get("Type") == "Notification" and "Message" in event:  # SNS in SQS
        _unwrap(_json(event["Message"]), uploads, ignored, depth - 1)
    elif event.get("Event") == "s3:TestEvent":
        ignored.append("s3:TestEvent")
    elif event.get("source") == "aws.s3" and "detail" in event:
        _from_eventbridge(event, uploads, ignored)
    else:
        shown = ", ".join(sorted(map(str, event))[:8]) or "(none)"
        raise EventError(f"an event of an unknown kind, with the fields {shown[:200]}; {_KNOWN}")


def _unwrap_record(record: Any, uploads: list[Upload], ignored: list[str], depth: int) -> None:
    if isinstance(record, dict) and isinstance(record.get("Sns"), dict):
        _unwrap(_json(record["Sns"].get("Message")), uploads, ignored, depth - 1)
        return
    name = str(_get(record, "eventName", ""))
    if not isinstance(record, dict) or "s3" not in record or not name:
        raise EventError(
            f"a record of {_source(record) or 'an unknown source'} is no upload; {_KNOWN}"
        )
    if _CREATED not in name:
        ignored.append(name)
        return
    s3 = record["s3"]
    key = unquote_plus(_text(s3, "object", "key"), errors="surrogateescape")
    _add(
        _upload(_text(s3, "bucket", "name"), key, s3["object"], "eTag", "versionId"),
        uploads,
        ignored,
    )


def _from_eventbridge(event: dict[str, Any], uploads: list[Upload], ignored: list[str]) -> None:
    kind = str(event.get("detail-type", ""))
    if kind != _EVENTBRIDGE_CREATED:
        ignored.append(kind)
        return
    detail = event["detail"]
    bucket, key = _text(detail, "bucket", "name"), _text(detail, "object", "key")
    _add(_upload(bucket, key, detail["object"], "etag", "version-id"), uploads, ignored)


def _add(upload: Upload, uploads: list[Upload], ignored: list[str]) -> None:
    """Keep `upload` unless it is a folder from the S3 console: an empty object named `…/`."""
    if upload.ref.uri.endswith("/") and upload.ref.size_bytes == 0:
        ignored.append("a folder")
    else:
        uploads.append(upload)


def _upload(bucket: str, key: str, fields: Mapping[str, Any], tag: str, version: str) -> Upload:
    size, etag = fields.get("size"), fields.get(tag)
    known = isinstance(size, int) and isinstance(etag, str)
    return Upload(
        ImageRef(
            uri=f"s3://{bucket}/{key}",
            etag=str(etag).strip('"') if known else "",
            size_bytes=int(size) if known and size is not None else 0,
            version_id=_version_id(fields.get(version)),
        ),
        str(fields.get("sequencer") or ""),
    )


def _version_id(value: Any) -> str | None:
    """Return the version id, or None for an object without versions, for which S3 writes `null`."""
    return value if isinstance(value, str) and value not in {"", "null"} else None


def _http_request(event: dict[str, Any]) -> HttpRequest:
    context = event["requestContext"]
    headers, query = _mapping(event.get("headers")), _mapping(event.get("queryStringParameters"))
    path = str(event.get("rawPath") or "/")
    stage = str(context.get("stage") or "$default")
    if stage != "$default" and (path + "/").startswith(f"/{stage}/"):
        path = path.removeprefix(f"/{stage}") or "/"
    return HttpRequest(
        id=str(context.get("requestId") or ""),
        method=_text(context, "http", "method").upper(),
        path=path,
        query={str(name): str(value) for name, value in query.items()},
        headers={str(name).lower(): str(value) for name, value in headers.items()},
        body=str(event.get("body") or ""),
        is_base64=bool(event.get("isBase64Encoded")),
    )


def _invocation(event: dict[str, Any]) -> Invocation:
    given = {name: event.get(name) for name in ("uri", "image") if event.get(name) is not None}
    if len(given) != 1 or not all(isinstance(value, str) and value for value in given.values()):
        raise EventError('a direct call takes either "uri" or "image", a non-empty string')
    return Invocation(**given)


def _event_id(event: dict[str, Any]) -> str:
    """Return the id that AWS gave this event, for logs."""
    records = event.get("Records")
    first = records[0] if isinstance(records, list) and records else None
    for candidate in (
        event.get("id"),
        _get(_get(first, "Sns", None), "MessageId", None),
        _get(_get(first, "responseElements", None), "x-amz-request-id", None),
    ):
        if isinstance(candidate, str):
            return candidate
    return ""


def _source(record: Any) -> str:
    return str(_get(record, "eventSource", None) or _get(record, "EventSource", None) or "")


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _get(value: Any, name: str, default: Any) -> Any:
    return value.get(name, default) if isinstance(value, dict) else default


def _text(value: Any, outer: str, inner: str) -> str:
    text = _get(_get(value, outer, None), inner, None)
    if not isinstance(text, str) or not text:
        raise EventError(f"an event lacks the string {outer}.{inner}; {_KNOWN}")
    return text


def _json(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise EventError(f"a message is not JSON ({error}); {_KNOWN}") from error
