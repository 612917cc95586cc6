"""What an event is parsed into."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from seefood.errors import SeefoodError
from seefood.records import ImageRef


class EventError(SeefoodError):
    """An event of an unknown kind, or one that lacks a required field."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One object to label."""

    ref: ImageRef
    """Without an entity tag if the event has none: then it is read from the store."""
    sequencer: str = ""
    """S3's order of the events of one key, hexadecimal; empty if the event has none."""
    is_named: bool = False
    """Whether a caller named it, instead of AWS: then its bucket must be on the operator's list."""


@dataclass(frozen=True, slots=True)
class Removal:
    """One object that was removed."""

    uri: str
    version_id: str | None = None
    """The version that was removed for good; None if the object as a whole is gone."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that needs no work; logs name its kind."""

    kind: str


Item = Upload | Removal | Ignored


@dataclass(frozen=True, slots=True)
class Message:
    """The content of one delivery, which succeeds or fails as a whole."""

    id: str
    """SQS's message id, or an id of the event for logs."""
    uploads: tuple[Upload, ...] = ()
    ignored: tuple[str, ...] = ()
    """Kinds of events in it that need no work (a warm-up ping, S3's test event)."""
    error: str | None = None
    """Why the message cannot be parsed."""
    removals: tuple[Removal, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """Uploads to label."""

    messages: tuple[Message, ...]
    from_queue: bool
    """Whether single messages can be returned for another delivery (SQS)."""


@dataclass(frozen=True, slots=True)
class BatchOperations:
    """The tasks of one call of S3 Batch Operations, which wants a result code for each."""

    messages: tuple[Message, ...]
    """Their ids are the tasks' ids."""
    invocation_id: str
    schema_version: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call that gets rows back: exactly one of the two is not empty."""

    uploads: tuple[Upload, ...] = ()
    pictures: tuple[str, ...] = ()
    """In base64."""
    is_list: bool = False
    """Whether the response is a list of rows, also of one, and not a row."""


class Dialect(StrEnum):
    """The form of an HTTP request, and of its response."""

    URL = "2.0"
    """Function URL, and API Gateway's payload format 2.0."""
    REST = "1.0"
    """API Gateway's payload format 1.0."""
    LOAD_BALANCER = "alb"
    LOAD_BALANCER_MULTI = "alb-multi"
    """With multi-value headers."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """An HTTP request through any of AWS's services, or of `seefood serve`."""

    id: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """With names in lower case."""
    body: str
    is_base64: bool
    is_iam: bool = False
    """Whether AWS has checked an IAM signature, which no header of the request can pretend."""
    dialect: Dialect = Dialect.URL


ParsedEvent = Batch | BatchOperations | Call | HttpRequest


def order_of(upload: Upload) -> tuple[str, str]:
    """Return a key that sorts the events of one object by time.

    As AWS documents, sequencers are padded with zeros on the right to equal length.
    """
    return upload.ref.uri, upload.sequencer.ljust(64, "0")
