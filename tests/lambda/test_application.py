import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from seefood.bundle import load_bundle
from seefood.errors import BundleError, RetryableError
from seefood.results.files import read_rows
from seefood.results.upload_merge import merge_uploads
from seefood.storage.uris import parse_location
from seefood.synthetic import draw_picture
from seefood_lambda.application import Application
from seefood_lambda.events import EventError
from seefood_lambda.request_input import NotAllowedError
from seefood_lambda.settings import LambdaConfig
from tests.conftest import Bucket
from tests.lambda_context import Context
from tests.pictures import encoded

Recorded = Callable[[str], Any]


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


def uploaded(bucket: str, key: str, name: str = "ObjectCreated:Put") -> dict[str, Any]:
    """Return S3's notification about one object."""
    fields = {"bucket": {"name": bucket}, "object": {"key": key}}
    return {"Records": [{"eventName": name, "s3": fields}]}


def test_a_queued_name_must_be_of_an_allowed_bucket(application: Application, s3: Bucket) -> None:
    """Who may send to the queue may not read other buckets through the function."""
    s3.put("lunch.jpg", hotdog())
    records = [
        {"messageId": uri, "eventSource": "aws:sqs", "body": json.dumps({"uri": uri})}
        for uri in (f"{s3.uri}/lunch.jpg", "s3://somebody-elses/a.jpg")
    ]

    response = application({"Records": records}, Context())

    failures = [{"itemIdentifier": "s3://somebody-elses/a.jpg"}]
    assert {"batchItemFailures": failures} == response
    assert [f"{s3.uri}/lunch.jpg"] == [r.uri for r in read_rows(parse_location(f"{s3.uri}/labels"))]


def test_s3_batch_operations_gets_a_code_for_each_task(
    application: Application, s3: Bucket
) -> None:
    """A row without a label is a permanent failure, so that the job's report lists it."""
    s3.put("lunch.jpg", hotdog())
    s3.put("text.jpg", b"text")
    tasks = [
        {"taskId": key, "s3Key": key, "s3VersionId": None, "s3BucketArn": f"arn:aws:s3:::{s3.name}"}
        for key in ("lunch.jpg", "text.jpg", "gone.jpg")
    ]

    response = application(
        {"invocationSchemaVersion": "1.0", "invocationId": "i", "tasks": tasks}, Context()
    )

    codes = {one["taskId"]: one["resultCode"] for one in response["results"]}
    assert {
        "lunch.jpg": "Succeeded",
        "text.jpg": "PermanentFailure",
        "gone.jpg": "PermanentFailure",
    } == codes
    late = application(
        {"invocationSchemaVersion": "1.0", "invocationId": "i", "tasks": tasks[:1]},
        Context(milliseconds=500),
    )
    assert "TemporaryFailure" == late["results"][0]["resultCode"]


@pytest.mark.parametrize("removes", [True, False])
def test_a_removed_pictures_row_goes_if_the_operator_wants_it(
    bundle_path: Path, s3: Bucket, *, removes: bool
) -> None:
    """Only its row; a late event does not remove the row of what is there again."""
    results = parse_location(f"{s3.uri}/labels")
    config = LambdaConfig(bundle_path, None, results)
    application = Application(replace(config, removes_rows=removes))
    for key in ("a.jpg", "b.jpg"):
        s3.put(key, hotdog())
        application(uploaded(s3.name, key), Context())
    removal = uploaded(s3.name, "a.jpg", "ObjectRemoved:Delete")

    application(removal, Context())
    assert 2 == len(list(read_rows(results)))
    s3.client.delete_object(Bucket=s3.name, Key="a.jpg")
    application(removal, Context())
    rows = {row.uri for row in read_rows(results)}

    assert ({f"{s3.uri}/b.jpg"} if removes else {f"{s3.uri}/a.jpg", f"{s3.uri}/b.jpg"}) == rows


def test_each_row_is_one_event_on_the_bus(bundle_path: Path, s3: Bucket) -> None:
    """A duplicate delivery sends none, also after `seefood compact` has moved the row.

    A removed picture that is uploaded again has a new row, and so an event.
    """
    results = parse_location(f"{s3.uri}/labels")
    config = LambdaConfig(bundle_path, None, results, event_bus="default", removes_rows=True)
    application = Application(config)
    queue = _queue_of_the_bus(s3)
    s3.put("a.jpg", hotdog())
    s3.put("b.jpg", b"text")

    for _ in range(2):
        for key in ("a.jpg", "b.jpg"):
            application(uploaded(s3.name, key), Context())
    rows = {row.uri: row.as_json() for row in read_rows(results)}
    assert 2 == merge_uploads(results, load_bundle(bundle_path).digest)
    application(uploaded(s3.name, "a.jpg"), Context())
    events = [json.loads(body) for body in queue()]

    details = {event["detail"]["uri"]: event["detail"] for event in events}
    assert 2 == len(events)
    assert {"seefood"} == {event["source"] for event in events}
    for uri, detail in details.items():
        assert {name: rows[uri][name] for name in detail} == detail

    s3.client.delete_object(Bucket=s3.name, Key="a.jpg")
    application(uploaded(s3.name, "a.jpg", "ObjectRemoved:Delete"), Context())
    s3.put("a.jpg", hotdog())
    for _ in range(2):
        application(uploaded(s3.name, "a.jpg"), Context())
    assert [f"{s3.uri}/a.jpg"] == [json.loads(body)["detail"]["uri"] for body in queue()]


def _queue_of_the_bus(s3: Bucket) -> Callable[[], list[str]]:
    """Let the default bus send seefood's events to a queue; return what reads the queue."""

    def client(name: str) -> Any:
        return boto3.client(name, endpoint_url=s3.endpoint)  # type: ignore[call-overload]

    url = client("sqs").create_queue(QueueName=s3.name)["QueueUrl"]
    arn = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    client("events").put_rule(Name=s3.name, EventPattern=json.dumps({"source": ["seefood"]}))
    targets = [{"Id": "queue", "Arn": arn["Attributes"]["QueueArn"]}]
    client("events").put_targets(Rule=s3.name, Targets=targets)

    def read() -> list[str]:
        found = []
        while messages := client("sqs").receive_message(QueueUrl=url).get("Messages"):
            for message in messages:
                found.append(message["Body"])
                client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    return read
