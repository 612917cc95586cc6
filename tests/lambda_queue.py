"""Buckets, queues and Lambda's poller between a queue and a function, on moto's server."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import boto3

TRIES: Final = 5
"""After this many deliveries a message goes to the dead-letter queue."""


@dataclass(frozen=True)
class Uploads:
    """A bucket that notifies a queue with a dead-letter queue, and a bucket for results."""

    s3: Any
    sqs: Any
    bucket: str
    results: str
    queue: str
    dead_letters: str

    def put(self, key: str, data: bytes) -> None:
        """Upload an object."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=data)

    def send(self, body: str) -> None:
        """Send a message that is not from S3 to the queue."""
        self.sqs.send_message(QueueUrl=self.queue, MessageBody=body)

    def has_messages(self) -> bool:
        """Whether the queue has messages, in flight included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        response = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)
        return any(int(response["Attributes"][name]) for name in names)

    def receive(self, queue: str) -> list[dict[str, Any]]:
        """Return up to ten messages of a queue; they stay in flight."""
        response = self.sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, AttributeNames=["All"]
        )
        messages: list[dict[str, Any]] = response.get("Messages", [])
        return messages

    def give_back(self, messages: list[dict[str, Any]]) -> None:
        """Make messages visible again immediately."""
        entries = [{**_entry(message), "VisibilityTimeout": 0} for message in messages]
        if entries:
            self.sqs.change_message_visibility_batch(QueueUrl=self.queue, Entries=entries)

    def delete(self, messages: list[dict[str, Any]]) -> None:
        """Delete messages from the queue."""
        if messages:
            entries = [_entry(message) for message in messages]
            self.sqs.delete_message_batch(QueueUrl=self.queue, Entries=entries)


def _entry(message: dict[str, Any]) -> dict[str, Any]:
    return {"Id": message["MessageId"], "ReceiptHandle": message["ReceiptHandle"]}


def make_uploads(endpoint: str) -> Uploads:
    """Create buckets, queues and the notification between them."""
    settings: dict[str, Any] = {
        "endpoint_url": endpoint,
        "region_name": "us-east-1",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }
    s3, sqs = boto3.client("s3", **settings), boto3.client("sqs", **settings)
    suffix = uuid4().hex[:8]
    bucket, results = f"uploads-{suffix}", f"labels-{suffix}"
    for name in (bucket, results):
        s3.create_bucket(Bucket=name)
    dead = sqs.create_queue(QueueName=f"dead-{suffix}")["QueueUrl"]
    redrive = {"deadLetterTargetArn": queue_arn(sqs, dead), "maxReceiveCount": TRIES}
    queue = sqs.create_queue(
        QueueName=f"uploads-{suffix}",
        Attributes={"RedrivePolicy": json.dumps(redrive), "VisibilityTimeout": "180"},
    )["QueueUrl"]
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "QueueConfigurations": [
                {
                    "QueueArn": queue_arn(sqs, queue),
                    "Events": ["s3:ObjectCreated:*"],
                    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "in/"}]}},
                }
            ]
        },
    )
    return Uploads(s3, sqs, bucket, results, queue, dead)


def queue_arn(sqs: Any, url: str) -> str:
    """Return a queue's ARN."""
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(attributes["Attributes"]["QueueArn"])


def as_records(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the event with which Lambda's poller delivers messages."""
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:uploads",
                "awsRegion": "us-east-1",
            }
            for message in messages
        ]
    }


def drain(
    uploads: Uploads,
    invoke: Callable[[Any], Any],
    *,
    lost_responses: int = 0,
    max_batches: int = 10_000,
) -> int:
    """Poll the queue until it is empty; return how many batches were delivered.

    Messages that the function returns become visible again immediately. The first `lost_responses`
    responses are lost, so all messages of their batches are delivered again.
    """
    batches = 0
    while batches < max_batches:
        messages = uploads.receive(uploads.queue)
        if not messages:
            if uploads.has_messages():  # moved to the dead-letter queue by this very call
                continue
            break
        response = invoke(as_records(messages))
        failed = {item["itemIdentifier"] for item in response["batchItemFailures"]}
        lost, batches = batches < lost_responses, batches + 1
        kept = [message for message in messages if lost or message["MessageId"] in failed]
        uploads.give_back(kept)
        uploads.delete([message for message in messages if message not in kept])
    return batches
