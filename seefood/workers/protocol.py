"""The messages between a worker process and the process that started it: lines of JSON.

JSON instead of pickle: a process that has decoded an untrusted picture must not be able to run code
in the other one. A dataclass is sent as the list of its field values and rebuilt from the types of
its fields, so that a new field of a row needs no change here.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from seefood import errors
from seefood.classification import ClassifyOptions
from seefood.errors import JobError, StopError
from seefood.records import ImageRef

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """The first message to a worker process."""

    bundle: str
    """The bundle's folder."""
    digest: str | None
    """The digest that the model must have; None accepts any model."""
    engine: str
    options: ClassifyOptions
    threads: int
    memory_bytes: int | None = None
    """How much more memory than at its start it may use; None is no limit."""


@dataclass(frozen=True, slots=True)
class ClassifyRequest:
    """One picture for a worker process to classify."""

    index: int
    """In its chunk."""
    ref: ImageRef
    data: bytes | None = None
    """The picture's bytes; None if the worker is to fetch `ref`."""


def encode(message: object) -> bytes:
    """Return `message` as one line; it may contain dataclasses, times and bytes."""
    return json.dumps(message, separators=(",", ":"), default=_to_json).encode("ascii") + b"\n"


def decode(kind: type[_Value], value: object) -> _Value:
    """Return the value of type `kind` that `encode` wrote, after `json.loads`.

    Raises `ValueError`, `TypeError`, `LookupError` or `OverflowError` for anything else.
    """
    rebuilt: _Value = _decoder(kind)(value)  # type: ignore[arg-type]  # a class is hashable
    return rebuilt


def encode_error(error: Exception) -> list[str]:
    """Return the class and the message of `error`; one that is not ours becomes a `JobError`."""
    own = error if isinstance(error, StopError) else JobError(f"a worker process failed: {error!r}")
    return [type(own).__name__, str(own)]


def decode_error(values: list[str]) -> StopError:
    """Return the error that `encode_error` wrote."""
    name, message = values
    kind = getattr(errors, name, JobError)
    return kind(message) if issubclass(kind, StopError) else JobError(message)


def _to_json(value: object) -> object:
    if is_dataclass(value):
        return [getattr(value, name) for name in _field_names(value.__class__)]
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(f"a message cannot contain a {type(value).__name__}")


@cache
def _field_names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


@cache
def _decoder(hint: Any) -> Callable[[Any], Any]:
    """Return the function that rebuilds a value of the type `hint` from JSON."""
    arguments = get_args(hint)
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        values_of = _each(tuple(_decoder(hints[field.name]) for field in fields(hint)))
        return lambda values: hint(*values_of(values))  # type: ignore[operator]
    if isinstance(hint, UnionType):
        (inner,) = (_decoder(argument) for argument in arguments if argument is not NoneType)
        return lambda value: None if value is None else inner(value)
    if get_origin(hint) is tuple and arguments[-1] is Ellipsis:
        item = _decoder(arguments[0])
        return lambda values: tuple(map(item, values))
    if get_origin(hint) is tuple:
        items = _each(tuple(map(_decoder, arguments)))
        return lambda values: tuple(items(values))
    if hint is datetime:
        return lambda seconds: datetime.fromtimestamp(seconds, UTC)
    if hint is bytes:
        return base64.b64decode
    if issubclass(hint, Enum):
        return hint  # type: ignore[no-any-return]
    return lambda value: value


def _each(decoders: tuple[Callable[[Any], Any], ...]) -> Callable[[Any], list[Any]]:
    return lambda values: [decoder(value) for decoder, value in zip(decoders, values, strict=True)]
