"""What a worker process and the one that started it say to one another: lines of JSON.

JSON and not pickle, because a process that has just decoded a stranger's picture is the last one
whose bytes should be able to run anything.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass
from datetime import UTC, datetime
from typing import Any, Self

from seefood import errors
from seefood.classify import ClassifyOptions
from seefood.errors import JobError, StopError
from seefood.imaging.limits import Limits
from seefood.records import ImageRef, Row, Status


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """What a worker process needs to know before it can begin."""

    bundle: str
    """The bundle's folder."""
    digest: str | None
    """Which model it must be: another one is refused."""
    engine: str
    settings: ClassifyOptions
    threads: int
    memory_bytes: int | None = None
    """How much more memory than at its start it may take; None sets no bound."""

    def as_json(self) -> dict[str, Any]:
        """Return the values as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Return what `as_json` wrote."""
        settings = dict(document["settings"])
        settings["limits"] = Limits(**settings["limits"])
        return cls(**{**document, "settings": ClassifyOptions(**settings)})


@dataclass(frozen=True, slots=True)
class ClassifyRequest:
    """One picture that a worker process is asked to classify."""

    index: int
    """Its place in the chunk."""
    ref: ImageRef
    data: bytes | None = None
    """Its bytes, if they are not to be read from `ref`."""


def encode(message: object) -> bytes:
    """Return `message` as one line."""
    return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


def pack_asked(asked: ClassifyRequest) -> list[Any]:
    """Return `asked` as JSON values."""
    data = None if asked.data is None else base64.b64encode(asked.data).decode("ascii")
    return [asked.index, data, *astuple(asked.ref)]


def unpack_asked(values: list[Any]) -> ClassifyRequest:
    """Return what `pack_asked` packed."""
    index, data, *ref = values
    return ClassifyRequest(index, ImageRef(*ref), None if data is None else base64.b64decode(data))


def pack_row(row: Row) -> list[Any]:
    """Return `row` as JSON values."""
    return [
        *(row.uri, row.etag, row.version_id, row.size_bytes, row.width, row.height, row.format),
        *(row.label, row.score, row.top, row.status, row.error_code, row.error_message),
        *(row.model, row.model_digest, row.engine, row.classified_at.timestamp()),
    ]


def unpack_row(values: list[Any]) -> Row:
    """Return what `pack_row` packed."""
    *told, top, status, code, message, model, digest, engine, moment = values
    ranked = None if top is None else tuple((label, score) for label, score in top)
    at = datetime.fromtimestamp(moment, UTC)
    fields = (*told, ranked, Status(status), code, message, model, digest, engine, at)
    return Row(*fields)


def pack_error(error: Exception) -> list[str]:
    """Return `error` as JSON values: the name of our class of it and its sentence."""
    own = error if isinstance(error, StopError) else JobError(f"a worker process failed: {error!r}")
    return [type(own).__name__, str(own)]


def unpack_error(values: list[str]) -> StopError:
    """Return what `pack_error` packed."""
    name, message = values
    kind = getattr(errors, name, JobError)
    return kind(message) if issubclass(kind, StopError) else JobError(message)
