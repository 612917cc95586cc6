import json
from collections.abc import Callable
from typing import Any, Final

import boto3
import pytest

from seefood.storage import open_store
from seefood_lambda.events import Batch, parse_event
from tests.conftest import Bucket

KEYS: Final = ("in/a b+c.jpg", "in/100%.jpg", "in/a%20b.jpg", "in/été/🌭.jpg", "in/=;,:@!$'()*.jpg")

# Connects a bucket's notifications with a queue: (clients, bucket, queue) -> None.
Route = Callable[[Any, str, str], None]


def direct(client: Callable[[str], Any], bucket: str, queue_arn: str) -> None:
    configuration = {"QueueArn": queue_arn, "Events": ["s3:ObjectCreated:*"]}
    client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [configuration]}
    )


def through_sns(client: Callable[[str], Any], bucket: str, queue_arn: str) -> None:
    topic = client("sns").create_topic(Name=bucket)["TopicArn"]
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    configuration = {"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}
    client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"TopicConfigurations": [configuration]}
    )


def through_eventbridge(client: Callable[[str], Any], bucket: str, queue_arn: str) -> None:
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}}
    client("events").put_rule(Name=bucket, EventPattern=json.dumps(pattern))
    client("events").put_targets(Rule=bucket, Targets=[{"Id": "queue", "Arn": queue_arn}])
    client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )


@pytest.mark.parametrize("route", [direct, through_sns, through_eventbridge])
def test_delivered_messages_name_the_uploaded_objects(s3: Bucket, route: Route) -> None:
    """On each route the reference equals that of a listing, so the ledger recognises it."""

    def client(name: str) -> Any:
        return boto3.client(name, endpoint_url=s3.endpoint)  # type: ignore[call-overload]

    sqs = client("sqs")
    url = sqs.create_queue(QueueName=s3.name)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    route(client, s3.name, attributes["Attributes"]["QueueArn"])
    for key in KEYS:
        s3.put(key, key.encode())

    records = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        records += [
            {"messageId": message["MessageId"], "body": message["Body"], "eventSource": "aws:sqs"}
            for message in messages
        ]
    parsed = parse_event({"Records": records})

    assert isinstance(parsed, Batch)
    assert [None] * len(records) == [message.error for message in parsed.messages]
    store = open_store(s3.uri)
    listed = sorted(store.list(""), key=lambda ref: ref.uri)
    refs = [upload.ref for message in parsed.messages for upload in message.uploads]
    # moto's EventBridge events name the tag as S3 does, so the parser finds none.
    arrived = [ref if ref.etag else store.stat(ref) for ref in refs]
    assert [(ref.uri, ref.etag, ref.size_bytes) for ref in listed] == [
        (ref.uri, ref.etag, ref.size_bytes) for ref in sorted(arrived, key=lambda ref: ref.uri)
    ]
