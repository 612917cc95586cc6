"""S3 Batch Operations, schema versions 1.0 and 2.0: one call labels the objects of its tasks.

1.0 names the bucket by its ARN, 2.0 by its name. Keys are URL-encoded, as in the job's manifest.
"""

from typing import Any
from urllib.parse import unquote_plus

from seefood_lambda.events.fields import get, make_ref, text
from seefood_lambda.events.values import BatchOperations, EventError, Message, Upload


def is_job(event: Any) -> bool:
    """Whether S3 Batch Operations calls."""
    return isinstance(event, dict) and "invocationSchemaVersion" in event


def read_job(event: Any) -> BatchOperations:
    """Return the tasks. Raises `EventError` for a call that has none of its fields."""
    version = text(event, "invocationSchemaVersion")
    tasks = get(event, "tasks")
    if version not in {"1.0", "2.0"} or not isinstance(tasks, list) or not tasks:
        raise EventError(
            f"S3 Batch Operations calls with the schema version {version[:20]!r} and "
            f"{len(tasks) if isinstance(tasks, list) else 'no'} tasks; 1.0 and 2.0 are supported"
        )
    return BatchOperations(tuple(map(_read_task, tasks)), text(event, "invocationId"), version)


def _read_task(task: Any) -> Message:
    identity = text(task, "taskId")
    try:
        bucket = _bucket(task)
        key = unquote_plus(text(task, "s3Key"), errors="surrogateescape")
    except EventError as error:
        return Message(identity, error=str(error))
    return Message(
        identity, (Upload(make_ref(f"s3://{bucket}/{key}", None, None, get(task, "s3VersionId"))),)
    )


def _bucket(task: Any) -> str:
    if get(task, "s3Bucket"):
        return text(task, "s3Bucket")
    bucket = text(task, "s3BucketArn").rpartition(":")[2]
    if "/" in bucket:
        raise EventError(f"a task names the access point {bucket[:80]!r}; name the bucket instead")
    return bucket
