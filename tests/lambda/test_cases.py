"""Sends the collected cases of events to the handler, with the built-in model and moto's S3."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import boto3
import pytest

from seefood.bundle import default_bundle_path
from seefood.results.files import read_rows
from seefood.storage.uris import parse_location
from seefood_lambda.application import Application
from seefood_lambda.settings import LambdaConfig
from tests.conftest import Bucket
from tests.lambda_context import Context

pytestmark = pytest.mark.photos

_BUCKET: Final = "example-pictures"


@pytest.fixture
def application(s3: Bucket, shared: Path) -> Application:
    """The handler, and the bucket that the events name."""
    client = boto3.client("s3", endpoint_url=s3.endpoint)
    client.create_bucket(Bucket=_BUCKET)
    picture = (shared / "cases" / "pictures" / "plain_hotdog.jpg").read_bytes()
    for key in ("in/plain_hotdog.jpg", "in/a hot dog+1.jpg"):
        client.put_object(Bucket=_BUCKET, Key=key, Body=picture)
    results = parse_location(f"{s3.uri}/door")
    return Application(LambdaConfig(default_bundle_path(), None, results, frozenset({_BUCKET})))


def test_every_case_has_the_right_outcome(
    application: Application, s3: Bucket, shared: Path
) -> None:
    """A row, a response or an error that names the kind; never an upload that is ignored."""
    cases = json.loads((shared / "cases" / "expected.json").read_text())["events"]
    results = parse_location(f"{s3.uri}/door")
    wrong = {}
    for name, case in cases.items():
        for key in s3.keys():  # noqa: SIM118 (a method of ours)
            s3.client.delete_object(Bucket=s3.name, Key=key)
        event = json.loads((shared / "cases" / "events" / name).read_text())
        try:
            outcome = application(event, Context())
        except Exception as error:  # noqa: BLE001 (an error may be the right outcome)
            outcome = error
        rows = [row.as_json() for row in read_rows(results)]
        if not any(_fits(accepted, outcome, rows) for accepted in case["accept"]):
            wrong[name] = (outcome, rows)

    assert {} == wrong


def _fits(accepted: dict[str, Any], outcome: Any, rows: list[dict[str, Any]]) -> bool:
    """Whether `outcome` and `rows` are as the case says."""
    return all(_CHECKS[name](wanted, outcome, rows) for name, wanted in accepted.items())


def _has(wanted: Any, found: Any) -> bool:
    """Whether `found` has everything in `wanted`."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            name in found and _has(value, found[name]) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(found, list) and all(
            any(_has(one, other) for other in found) for one in wanted
        )
    return bool(wanted == found)


def _http(wanted: Any, outcome: Any) -> bool:
    body = json.loads(outcome["body"])
    return _has(wanted, {"statusCode": outcome["statusCode"], "label": body.get("label")})


_CHECKS: Final[dict[str, Callable[[Any, Any, list[dict[str, Any]]], bool]]] = {
    "written": lambda wanted, _, rows: len(wanted) == len(rows) and _has(wanted, rows),
    "answer": lambda wanted, outcome, _: _has(wanted, outcome),
    "answer_has": lambda wanted, outcome, _: all(name in outcome for name in wanted),
    "batchItemFailures": lambda wanted, outcome, _: wanted == outcome["batchItemFailures"],
    "http": lambda wanted, outcome, _: _http(wanted, outcome),
    "no_error": lambda _, outcome, __: not isinstance(outcome, Exception),
    "raises": lambda wanted, outcome, _: (
        isinstance(outcome, Exception) and all(word in str(outcome) for word in wanted)
    ),
    "logged_has": lambda *_: False,
    "body_has": lambda *_: False,
}
