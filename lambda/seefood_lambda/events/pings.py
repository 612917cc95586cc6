"""Warm-up pings, as plug-ins and people send them to keep an environment alive."""

from collections.abc import Iterable
from typing import Any, Final

from seefood_lambda.events.values import Ignored, Item

_FIELDS: Final = frozenset(
    {"warmer", "warmup", "warm_up", "warm-up", "isWarmup", "ping", "keep-warm", "keepwarm"}
)
# What plug-ins send beside them. Any other field could ask for work, and is not ignored.
_BESIDE: Final = frozenset({"concurrency", "correlationId", "source", "test", "delay", "time"})
_SOURCES: Final = frozenset(
    {"serverless-plugin-warmup", "serverless-plugin-lambda-warmup", "warmup", "warmer", "keep-warm"}
)


def is_ping(event: Any) -> bool:
    """Whether `event` only keeps the function warm."""
    if not isinstance(event, dict) or not event.keys() <= _FIELDS | _BESIDE:
        return False
    return str(event.get("source")) in _SOURCES or not event.keys().isdisjoint(_FIELDS)


def read_ping(event: Any) -> Iterable[Item]:
    """Return that a ping needs no work."""
    del event
    return (Ignored("a warm-up ping"),)
