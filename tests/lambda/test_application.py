from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from seefood.errors import BundleError, RetryableError
from seefood.results.files import read_rows
from seefood.storage.uris import parse_location
from seefood.synthetic import draw_picture
from seefood_lambda.application import Application
from seefood_lambda.events import EventError
from seefood_lambda.request_input import NotAllowedError
from seefood_lambda.settings import LambdaConfig
from tests.conftest import Bucket
from tests.pictures import encoded

Recorded = Callable[[str], Any]


@dataclass
class Context:
    """An invocation with enough time."""

    function_name: str = "seefood"
    aws_request_id: str = "request-1"
    milliseconds: int = 30_000

    def get_remaining_time_in_millis(self) -> int:
        """Return the remaining time."""
        return self.milliseconds


@pytest.fixture
def application(bundle_path: Path, s3: Bucket) -> Application:
    """The application with a real network and moto's S3 server."""
    results = parse_location(f"{s3.uri}/labels")
    return Application(LambdaConfig(bundle_path, None, results, frozenset({s3.name})))


def hotdog() -> bytes:
    return encoded(draw_picture("hotdog_mustard", 3, (320, 240)), "JPEG")


def test_an_s3_event_becomes_a_row(
    application: Application, s3: Bucket, recorded: Recorded
) -> None:
    """The row of the uploaded object is written."""
    event = recorded("s3_put")
    fields = event["Records"][0]["s3"]
    fields["bucket"]["name"] = s3.name
    fields["object"]["eTag"] = s3.put("menu/été 1+1=2 100%/🌭.jpg", hotdog())
    del fields["object"]["versionId"]

    assert {"labelled": 1} == application(event, Context())
    (row,) = read_rows(parse_location(f"{s3.uri}/labels"))
    assert (f"{s3.uri}/menu/été 1+1=2 100%/🌭.jpg", "litert", None) == (
        row.uri,
        row.engine,
        row.error_code,
    )


def test_a_direct_call_returns_the_row_that_it_writes(application: Application, s3: Bucket) -> None:
    """An asynchronous call has a result too, and a second call changes nothing."""
    s3.put("lunch.jpg", hotdog())

    results = [application({"uri": f"{s3.uri}/lunch.jpg"}, Context()) for _ in range(2)]

    (row,) = read_rows(parse_location(f"{s3.uri}/labels"))
    assert row.as_json() == results[0]
    assert results[0]["label"] == results[1]["label"]


def test_a_direct_call_for_another_bucket_is_refused(application: Application) -> None:
    """The operator decides which buckets callers may name."""
    with pytest.raises(NotAllowedError, match="SEEFOOD_ALLOWED_BUCKETS"):
        application({"uri": "s3://somebody-elses/a.jpg"}, Context())


def test_a_picture_in_a_direct_call_is_labelled_and_not_stored(
    application: Application, s3: Bucket, recorded: Recorded
) -> None:
    """Nothing is written for a picture that is in no bucket."""
    row = application(recorded("call_image"), Context())

    assert ("upload:", "GIF", None) == (row["uri"], row["format"], row["error_code"])
    assert [] == s3.keys()


def test_without_time_an_event_fails_and_writes_nothing(
    application: Application, s3: Bucket
) -> None:
    """Without a queue only an exception makes AWS deliver the event again."""
    s3.put("lunch.jpg", hotdog())
    event = {
        "Records": [
            {
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": s3.name}, "object": {"key": "lunch.jpg"}},
            }
        ]
    }

    with pytest.raises(RetryableError, match="before the deadline"):
        application(event, Context(milliseconds=500))
    assert ["lunch.jpg"] == s3.keys()


def test_the_page_is_served_with_its_policy(application: Application, recorded: Recorded) -> None:
    """A browser runs only the page's own script, and loads nothing from other sites."""
    response = application(recorded("function_url_page"), Context())

    policy = response["headers"]["content-security-policy"]
    assert response["body"].startswith("<!doctype html>")
    assert "default-src 'none'" in policy
    assert 1 == policy.count("script-src 'sha256-")
    assert "unsafe" not in policy
    for foreign in ("http://", "https://", "//cdn", "@import"):
        assert foreign not in response["body"].replace("http://www.w3.org/2000/svg", "")


def test_an_unknown_event_is_an_error(application: Application) -> None:
    """The error is one sentence, and the event ends in the failure destination."""
    with pytest.raises(EventError, match="an event of an unknown kind, with the fields hello"):
        application({"hello": "world"}, Context())


def test_another_model_than_the_pinned_one_is_refused(bundle_path: Path) -> None:
    """The function runs only with the digest that was deployed."""
    with pytest.raises(BundleError, match="was expected"):
        Application(LambdaConfig(bundle_path, digest="0" * 12))
