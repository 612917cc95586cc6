"""One row for each recorded event: what is taken from each form, and how it is answered."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from seefood.records import ImageRef
from seefood_lambda.events import (
    Batch,
    BatchOperations,
    Call,
    Dialect,
    EventError,
    HttpRequest,
    Removal,
    Upload,
    parse_event,
)

EVENTS: Final = Path(__file__).parent / "events"
Recorded = Callable[[str], Any]

KEY: Final = "menu/été 1+1=2 100%/🌭.jpg"
URI: Final = f"s3://photos/{KEY}"
TAG: Final = "d41d8cd98f00b204e9800998ecf8427e"
VERSION: Final = "096fKKXTRTtl3on89fVO.nfljtsv6qko"
SEQUENCER: Final = "0055AED6DCD90281E5"

FULL: Final = Upload(ImageRef(URI, TAG, 52311, VERSION), SEQUENCER)
VERSIONED: Final = Upload(ImageRef(URI, version_id=VERSION))
NAMED: Final = Upload(ImageRef(URI), is_named=True)
LISTED: Final = Upload(ImageRef(URI, TAG, 52311), is_named=True)

# Forms that say that something happened to objects: event, uploads, ignored kinds, from a queue.
_UPLOADS: Final[list[tuple[str, tuple[Upload, ...], tuple[str, ...], bool]]] = [
    ("s3_put", (FULL,), (), False),
    ("s3_minio", (FULL,), (), False),
    ("s3_restored", (FULL,), (), False),
    ("sns_s3", (FULL,), (), False),
    ("sqs_s3", (FULL,), (), True),
    ("sqs_sns_s3", (FULL,), (), True),
    ("sqs_eventbridge", (FULL,), (), True),
    ("sqs_destination", (FULL,), (), True),
    ("pipes_sqs", (FULL,), (), True),
    ("pipes_transformed", (FULL,), (), False),
    ("eventbridge_created", (FULL,), (), False),
    ("eventbridge_restored", (FULL,), (), False),
    ("eventbridge_destination", (FULL,), (), False),
    ("destination", (FULL,), (), False),
    ("cloudtrail_put", (VERSIONED,), (), False),
    ("cloudtrail_copy", (VERSIONED,), (), False),
    ("cloudtrail_multipart", (VERSIONED,), (), False),
    ("sqs_uri", (NAMED,), (), True),
    ("sqs_uri_text", (NAMED,), (), True),
    ("sqs_uris", (NAMED,), (), True),
    ("sqs_bucket_key", (NAMED,), (), True),
    ("sns_uri", (NAMED,), (), False),
    ("eventbridge_uri", (NAMED,), (), False),
    ("s3_test", (), ("s3:TestEvent",), False),
    ("s3_folder", (), ("a folder",), False),
    ("s3_tagged", (), ("ObjectTagging:Put",), False),
    ("s3_restore_started", (), ("ObjectRestore:Post",), False),
    ("eventbridge_tagged", (), ("Object Tags Added",), False),
    ("cloudtrail_get", (), ("CloudTrail: GetObject",), False),
    (
        "cloudtrail_refused",
        (),
        ("CloudTrail: PutObject, which failed with AccessDenied",),
        False,
    ),
    ("destination_success", (), ("a Lambda destination's record of a success",), False),
    ("sqs_sns_confirmation", (), ("SNS: SubscriptionConfirmation",), True),
    ("ping_plugin", (), ("a warm-up ping",), False),
    ("ping_warmer", (), ("a warm-up ping",), False),
    ("ping_schedule", (), ("Scheduled Event",), False),
]

# Calls that get rows back: event, uploads, number of pictures, whether the response is a list.
_CALLS: Final[list[tuple[str, tuple[Upload, ...], int, bool]]] = [
    ("call_uri", (NAMED,), 0, False),
    ("call_uris", (NAMED,), 0, True),
    ("call_bucket_key", (NAMED,), 0, False),
    ("call_image", (), 1, False),
    ("call_images", (), 2, True),
    ("map_items", (LISTED,), 0, True),
    ("map_item", (LISTED,), 0, False),
    ("map_inventory", (NAMED,), 0, True),
    ("map_selected", (LISTED,), 0, True),
    (
        "map_uris",
        (
            NAMED,
            Upload(ImageRef("s3://photos/b.jpg"), is_named=True),
            Upload(ImageRef("s3://photos/c d.jpg"), is_named=True),
        ),
        0,
        True,
    ),
]

_REMOVALS: Final = [
    ("s3_removed", None),
    ("eventbridge_deleted", VERSION),
    ("cloudtrail_delete", None),
]

_HTTP: Final = [
    ("function_url_classify", Dialect.URL),
    ("rest_classify", Dialect.REST),
    ("alb_classify", Dialect.LOAD_BALANCER),
    ("alb_multi_classify", Dialect.LOAD_BALANCER_MULTI),
]

_JOBS: Final = [("batch_operations_1", "1.0"), ("batch_operations_2", "2.0")]

_ELSEWHERE: Final = {"api_gateway_classify", "function_url_page", "s3_many", "sqs_mixed"}
"""Events that other tests read."""


def test_every_recorded_event_is_in_a_table() -> None:
    """A new form comes with its file and its row."""
    tables = (_UPLOADS, _CALLS, _REMOVALS, _HTTP, _JOBS)
    known = {str(row[0]) for table in tables for row in table}

    assert {file.stem for file in EVENTS.glob("*.json")} == known | _ELSEWHERE


@pytest.mark.parametrize(("name", "uploads", "ignored", "from_queue"), _UPLOADS)
def test_what_happened_to_objects_is_taken_from_every_form(
    recorded: Recorded,
    *,
    name: str,
    uploads: tuple[Upload, ...],
    ignored: tuple[str, ...],
    from_queue: bool,
) -> None:
    """The object, or the kind of an event that needs no work; only SQS takes messages back."""
    parsed = parse_event(recorded(name))

    assert isinstance(parsed, Batch)
    (message,) = parsed.messages
    assert (uploads, ignored, None) == (message.uploads, message.ignored, message.error)
    assert from_queue == parsed.from_queue


@pytest.mark.parametrize(("name", "uploads", "pictures", "is_list"), _CALLS)
def test_a_call_gets_its_rows(
    recorded: Recorded, *, name: str, uploads: tuple[Upload, ...], pictures: int, is_list: bool
) -> None:
    """One row for one object or picture, a list for several; Step Functions' batches too."""
    parsed = parse_event(recorded(name))

    assert isinstance(parsed, Call)
    assert (uploads, pictures, is_list) == (parsed.uploads, len(parsed.pictures), parsed.is_list)


@pytest.mark.parametrize(("name", "version"), _REMOVALS)
def test_a_removal_names_the_object(recorded: Recorded, name: str, version: str | None) -> None:
    """And the version, if only that is gone."""
    parsed = parse_event(recorded(name))

    assert isinstance(parsed, Batch)
    assert (Removal(URI, version),) == parsed.messages[0].removals


@pytest.mark.parametrize(("name", "dialect"), _HTTP)
def test_an_http_request_is_the_same_through_every_service(
    recorded: Recorded, name: str, dialect: Dialect
) -> None:
    """Method, path, query, type and body; none of these callers was checked by IAM."""
    parsed = parse_event(recorded(name))

    assert isinstance(parsed, HttpRequest)
    assert ("POST", "/classify", {"heatmap": "1"}, "image/gif", True, False, dialect) == (
        parsed.method,
        parsed.path,
        parsed.query,
        parsed.headers["content-type"],
        parsed.is_base64,
        parsed.is_iam,
        parsed.dialect,
    )


@pytest.mark.parametrize(("name", "version"), _JOBS)
def test_s3_batch_operations_names_its_tasks(recorded: Recorded, name: str, version: str) -> None:
    """Keys are URL-encoded in both versions; the response needs both ids."""
    parsed = parse_event(recorded(name))

    assert isinstance(parsed, BatchOperations)
    (task,) = parsed.messages
    assert (version, "invocation-1", "task-1", (VERSIONED,)) == (
        parsed.schema_version,
        parsed.invocation_id,
        task.id,
        task.uploads,
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"s3BucketArn": "arn:aws:s3:eu-west-1:1:accesspoint/a"}, "access point"),
        ({"s3Bucket": 7}, "s3Bucket"),
        ({}, "s3BucketArn"),
    ],
)
def test_a_task_without_a_bucket_fails_alone(fields: dict[str, Any], words: str) -> None:
    """An access point is no bucket: `s3://accesspoint/` could be a stranger's."""
    tasks = [{"taskId": "t", "s3Key": "k", **one} for one in (fields, {"s3Bucket": "b"})]
    parsed = parse_event({"invocationSchemaVersion": "2.0", "invocationId": "i", "tasks": tasks})

    assert isinstance(parsed, BatchOperations)
    assert words in (parsed.messages[0].error or "")
    assert "s3://b/k" == parsed.messages[1].uploads[0].ref.uri


@pytest.mark.parametrize(
    ("event", "words"),
    [
        pytest.param({"Items": [{"Key": "a.jpg", "Size": 1}]}, "BatchInput", id="no bucket"),
        pytest.param({"Items": []}, "no Items", id="an empty batch"),
        pytest.param({"Items": [{"sku": 1}]}, "Step Functions", id="other items"),
        pytest.param(
            {"invocationSchemaVersion": "3.0", "invocationId": "i", "tasks": [{}]},
            "S3 Batch Operations",
            id="another schema version",
        ),
        pytest.param(
            {"source": "aws.s3", "detail-type": "Object Frozen", "detail": {}},
            "Object Frozen",
            id="an unknown event of S3",
        ),
        pytest.param(
            {"source": "aws.ec2", "detail-type": "Instance", "detail": {"state": "on"}},
            "Instance",
            id="an event of another service",
        ),
        pytest.param(
            {
                "source": "aws.rds",
                "detail-type": "AWS API Call via CloudTrail",
                "detail": {"eventSource": "rds.amazonaws.com", "eventName": "Stop"},
            },
            "CloudTrail",
            id="an API call of another service",
        ),
        pytest.param(
            {"requestPayload": {"image": "AA=="}, "requestContext": {}},
            "destination",
            id="a picture that was called for asynchronously",
        ),
        pytest.param(
            {"eventName": "ObjectFrozen", "s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}},
            "ObjectFrozen",
            id="an unknown notification",
        ),
        pytest.param({"ping": True, "order": 7}, "order", id="a ping that asks for more"),
        pytest.param({"uris": []}, "non-empty", id="an empty list of objects"),
        pytest.param(
            {"methodArn": "a", "httpMethod": "GET", "requestContext": {}},
            "methodArn",
            id="a question of API Gateway to an authorizer",
        ),
        pytest.param(
            {"routeArn": "a", "requestContext": {"http": {"method": "GET"}}},
            "routeArn",
            id="the same in payload format 2.0",
        ),
        pytest.param({"uris": "s3://b/k"}, "list", id="a text for a list"),
    ],
)  # fmt: skip
def test_what_is_not_taken_is_an_error_with_its_name(event: Any, words: str) -> None:
    """Nothing is dropped in silence."""
    with pytest.raises(EventError, match=words):
        parse_event(event)
