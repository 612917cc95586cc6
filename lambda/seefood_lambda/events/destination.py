"""The record that Lambda sends to a failure destination, for a redrive: the event is inside it."""

from collections.abc import Callable, Iterable
from typing import Any

from seefood_lambda.events.fields import get
from seefood_lambda.events.values import EventError, Ignored, Item


def is_record(event: Any) -> bool:
    """Whether Lambda wrote it about an earlier invocation."""
    return isinstance(event, dict) and "requestPayload" in event and "requestContext" in event


def read_record(event: Any, unwrap: Callable[[Any], Iterable[Item]]) -> Iterable[Item]:
    """Return what the failed event asked for. Raises `EventError`."""
    if get(event["requestContext"], "condition") == "Success":
        return (Ignored("a Lambda destination's record of a success"),)
    try:
        return unwrap(event["requestPayload"])
    except EventError as error:
        raise EventError(
            f"the event in a record of a Lambda destination is not supported: {error}"
        ) from error
