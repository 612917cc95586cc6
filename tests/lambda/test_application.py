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
    """An invocation with time enough."""

    function_name: str = "seefood"
    aws_request_id: str = "request-1"
    milliseconds: int = 30_000

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that is left."""
        return self.milliseconds


@pytest.fixture
def door(bundle_path: Path, s3: Bucket) -> Application:
    """The whole door with a real network, in front of a real S3 server."""
    results = parse_location(f"{s3.uri}/labels")
    return Application(LambdaConfig(bundle_path, None, results, frozenset({s3.name})))


def hotdog() -> bytes:
    return encoded(draw_picture("hotdog_mustard", 3, (320, 240)), "JPEG")


def test_an_s3_event_becomes_a_row(door: Application, s3: Bucket, recorded: Recorded) -> None:
    """The recorded event, with an object that is there."""
    event = recorded("s3_put")
    told = event["Records"][0]["s3"]
    told["bucket"]["name"] = s3.name
    told["object"]["eTag"] = s3.put("menu/été 1+1=2 100%/🌭.jpg", hotdog())
    del told["object"]["versionId"]

    assert {"labelled": 1} == door(event, Context())
    (row,) = read_rows(parse_location(f"{s3.uri}/labels"))
    assert (f"{s3.uri}/menu/été 1+1=2 100%/🌭.jpg", "litert", None) == (
        row.uri,
        row.engine,
        row.error_code,
    )


def test_a_direct_call_answers_the_row_that_it_writes(door: Application, s3: Bucket) -> None:
    """So that an asynchronous call is not for nothing; the second call changes nothing."""
    s3.put("lunch.jpg", hotdog())

    answers = [door({"uri": f"{s3.uri}/lunch.jpg"}, Context()) for _ in range(2)]

    (row,) = read_rows(parse_location(f"{s3.uri}/labels"))
    assert row.as_json() == answers[0]
    assert answers[0]["label"] == answers[1]["label"]


def test_a_direct_call_of_a_foreign_bucket_is_refused(door: Application) -> None:
    """Whose names are read is the operator's decision, for every caller."""
    with pytest.raises(NotAllowedError, match="SEEFOOD_ALLOWED_BUCKETS"):
        door({"uri": "s3://somebody-elses/a.jpg"}, Context())


def test_a_picture_of_a_direct_call_is_answered_and_not_kept(
    door: Application, s3: Bucket, recorded: Recorded
) -> None:
    """Nothing is written for a picture that is nowhere."""
    answer = door(recorded("call_image"), Context())

    assert ("upload:", "GIF", None) == (answer["uri"], answer["format"], answer["error_code"])
    assert [] == s3.keys()


def test_without_time_an_event_fails_and_comes_again(door: Application, s3: Bucket) -> None:
    """Who sends without a queue learns by an exception; nothing is half done."""
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
        door(event, Context(milliseconds=500))
    assert ["lunch.jpg"] == s3.keys()


def test_the_page_is_served_with_its_policy(door: Application, recorded: Recorded) -> None:
    """A browser runs only what stands in the page, and loads nothing from elsewhere."""
    answer = door(recorded("function_url_page"), Context())

    policy = answer["headers"]["content-security-policy"]
    assert answer["body"].startswith("<!doctype html>")
    assert "default-src 'none'" in policy
    assert 1 == policy.count("script-src 'sha256-")
    assert "unsafe" not in policy
    for outside in ("http://", "https://", "//cdn", "@import"):
        assert outside not in answer["body"].replace("http://www.w3.org/2000/svg", "")


def test_an_unknown_event_is_an_error(door: Application) -> None:
    """It is told in one sentence, and ends in the failure destination."""
    with pytest.raises(EventError, match="an event of an unknown kind, with hello in it"):
        door({"hello": "world"}, Context())


def test_another_model_than_the_pinned_one_is_refused(bundle_path: Path) -> None:
    """The digest that was deployed is the digest that answers."""
    with pytest.raises(BundleError, match="was asked for"):
        Application(LambdaConfig(bundle_path, digest="0" * 12))
