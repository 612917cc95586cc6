"""What one process encodes the other one decodes to an equal value."""

import json
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum

import pytest

from seefood.classification import ClassifyOptions
from seefood.errors import BundleError, JobError
from seefood.imaging.limits import Limits
from seefood.records import ImageRef, Row
from seefood.workers.protocol import (
    ClassifyRequest,
    WorkerConfig,
    decode,
    decode_error,
    encode,
    encode_error,
)
from tests.fakes import failed, make_row


class _Color(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class _Inner:
    data: bytes | None


@dataclass(frozen=True)
class _Outer:
    """A field of each type that the protocol knows."""

    text: str
    number: float | None
    color: _Color
    at: datetime
    pairs: tuple[tuple[str, float], ...] | None
    inner: _Inner
    more: int = 5


@pytest.mark.parametrize(
    "value",
    [
        make_row("file:///a\udce9"),
        failed("s3://b/x", "corrupt", "no"),
        ClassifyRequest(3, ImageRef("s3://b/ä", "e", 7, "v", 1.5), b"\0\xff"),
        ClassifyRequest(0, ImageRef("-")),
        WorkerConfig("/b", None, "fake", ClassifyOptions(3, Limits(max_seconds=1.5)), 2, 99),
        _Outer("a", 1.5, _Color.RED, datetime(2026, 1, 2, tzinfo=UTC), (("x", 0.5),), _Inner(b"1")),
        _Outer("a", None, _Color.RED, datetime(2026, 1, 2, tzinfo=UTC), None, _Inner(None), 6),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_comes_back_equal(value: object) -> None:
    """Any dataclass is rebuilt from the types of its fields, with values of the same types."""
    line = encode(value)
    assert 1 == line.count(b"\n")
    decoded = decode(type(value), json.loads(line))
    assert value == decoded
    for field in fields(type(value)):  # type: ignore[arg-type]
        assert type(getattr(value, field.name)) is type(getattr(decoded, field.name))


@pytest.mark.parametrize("values", [[], ["a"], None, 5, {"uri": 1}])
def test_other_content_is_refused(values: object) -> None:
    """A list of another length, or something else, raises an error that the client handles."""
    with pytest.raises((ValueError, TypeError, LookupError)):
        decode(Row, values)


def test_errors_keep_their_class_and_message() -> None:
    """An error that is not seefood's becomes a `JobError` that names it."""
    error = decode_error(encode_error(BundleError("no bundle")))
    assert (BundleError, "no bundle") == (type(error), str(error))
    error = decode_error(encode_error(KeyError("x")))
    assert (JobError, "a worker process failed: KeyError('x')") == (type(error), str(error))
