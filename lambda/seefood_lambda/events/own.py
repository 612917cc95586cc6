"""The function's own events: objects by name, alone or in any wrapper, and pictures as base64."""

from collections.abc import Iterable
from typing import Any, Final

from seefood_lambda.events.fields import make_ref
from seefood_lambda.events.values import Call, EventError, Item, Upload

_FORMS: Final = (
    'a call takes one of "uri", "uris", "bucket" with "key", "image" or "images": a non-empty '
    "string, or a non-empty list of them"
)
_PICTURES: Final = frozenset({"image", "images"})
_NAMES: Final = frozenset({"uri", "uris"})


def is_own(event: Any) -> bool:
    """Whether `event` names objects or brings pictures."""
    if isinstance(event, str):
        return event.startswith("s3://")
    if not isinstance(event, dict):
        return False
    return not event.keys().isdisjoint(_PICTURES | _NAMES) or {"bucket", "key"} <= event.keys()


def read_call(event: Any) -> Call:
    """Return the call. Raises `EventError` unless it has exactly one of the forms."""
    if isinstance(event, dict) and not event.keys().isdisjoint(_PICTURES):
        name, values = _only(event)
        return Call(pictures=values, is_list=name == "images")
    is_list = isinstance(event, dict) and event.get("uris") is not None
    return Call(uploads=tuple(_uploads(event)), is_list=is_list)


def read_named(event: Any) -> Iterable[Item]:
    """Return the objects that an event in a wrapper names. Raises `EventError`."""
    if isinstance(event, dict) and not event.keys().isdisjoint(_PICTURES):
        raise EventError(
            "a picture inside a message has no name to write its row under; upload it to the "
            "bucket, or call the function with it directly"
        )
    return _uploads(event)


def _uploads(event: Any) -> list[Upload]:
    if isinstance(event, str):
        return [_upload(event)]
    name, values = _only(event)
    if name == "bucket":
        uri = f"s3://{event['bucket']}/{event['key']}"
        version = event.get("version_id", event.get("versionId"))
        return [Upload(make_ref(uri, None, None, version), is_named=True)]
    return [_upload(value) for value in values]


def _upload(uri: str) -> Upload:
    return Upload(make_ref(uri, None, None), is_named=True)


def _only(event: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return the one form that an event has, and its values. Raises `EventError`."""
    names = ("uri", "uris", "image", "images", "bucket", "key")
    given = {name: event[name] for name in names if event.get(name) is not None}
    key = given.pop("key", None) if "bucket" in given else None
    if len(given) != 1:
        raise EventError(_FORMS)
    ((name, value),) = given.items()
    values = value if isinstance(value, list) and name in {"uris", "images"} else [value]
    if name == "bucket":
        values = [value, key]
    if not values or not all(isinstance(one, str) and one for one in values):
        raise EventError(_FORMS)
    if name in {"uris", "images"} and not isinstance(value, list):
        raise EventError(_FORMS)
    return name, tuple(values)
