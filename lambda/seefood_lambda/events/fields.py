"""Checked access to an event's fields."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from seefood.records import ImageRef
from seefood_lambda.events.values import EventError, Ignored, Item, Upload

KNOWN: Final = (
    "this function takes S3 events (direct, in SQS or SNS, through EventBridge, Pipes, CloudTrail "
    "or a failure destination), S3 Batch Operations, items of Step Functions, HTTP requests, "
    '{"uri": "s3://bucket/key"}, {"uris": [...]}, {"bucket": ..., "key": ...} and '
    '{"image": "<base64>"}'
)


def get(value: Any, name: str, default: Any = None) -> Any:
    """Return a field of `value`; the default also if `value` is no object."""
    return value.get(name, default) if isinstance(value, dict) else default


def mapping(value: Any) -> dict[str, Any]:
    """Return `value` if it is an object, otherwise an empty one."""
    return value if isinstance(value, dict) else {}


def text(value: Any, *path: str) -> str:
    """Return the non-empty string at `path`. Raises `EventError`."""
    found = value
    for name in path:
        found = get(found, name)
    if not isinstance(found, str) or not found:
        raise EventError(f"an event lacks the string {'.'.join(path)}; {KNOWN}")
    return found


def parse_json(document: Any) -> Any:
    """Return the value of a JSON text. Raises `EventError`."""
    try:
        return json.loads(document)
    except (TypeError, ValueError, RecursionError) as error:
        raise EventError(f"a message is not JSON ({error}); {KNOWN}") from error


def shown_fields(event: Mapping[Any, Any]) -> str:
    """Return the names of an event's fields for an error."""
    return (", ".join(sorted(map(str, event))[:8]) or "(none)")[:200]


def source_of(record: Any) -> str:
    """Return the service that a record names, or an empty string."""
    return str(get(record, "eventSource") or get(record, "EventSource") or "")


def version_id(value: Any) -> str | None:
    """Return the version id, or None for an object without versions, for which S3 writes `null`."""
    return value if isinstance(value, str) and value not in {"", "null"} else None


def make_ref(uri: str, size: Any, etag: Any, version: Any = None) -> ImageRef:
    """Return a reference. Without a size or a tag it has neither: the store is asked for both."""
    known = isinstance(size, int) and not isinstance(size, bool) and isinstance(etag, str)
    return ImageRef(
        uri=uri,
        etag=etag.strip('"') if known else "",
        size_bytes=size if known else 0,
        version_id=version_id(version),
    )


def unless_folder(upload: Upload) -> Iterable[Item]:
    """Return `upload` unless it is a folder from the S3 console: an empty object named `…/`."""
    ref = upload.ref
    return (Ignored("a folder") if ref.uri.endswith("/") and ref.size_bytes == 0 else upload,)
