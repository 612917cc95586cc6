"""The response to a batch of uploads, and whether AWS delivers any of them again.

SQS gets a partial batch response: the ids of the messages to keep. S3 Batch Operations gets a
result code for each task. S3, SNS and EventBridge invoke the function asynchronously: they deliver
the event again when the function raises.
"""

from collections.abc import Mapping
from typing import Any, Final

from seefood.errors import RetryableError
from seefood_lambda.events import Batch, BatchOperations, EventError, Message, Upload
from seefood_lambda.uploads import Outcome, UploadStatus

_MAX_RESULT_CHARACTERS: Final = 200


def problem_of(message: Message, outcomes: Mapping[Upload, Outcome]) -> str | None:
    """Return why `message` must be delivered again; None if all of its uploads are done."""
    if message.error is not None:
        return message.error
    for upload in message.uploads:
        outcome = outcomes[upload]
        if outcome.status is UploadStatus.RETRY:
            return f"{upload.ref.uri}: {outcome.reason}"
    return None


def build_batch_response(batch: Batch, outcomes: Mapping[Upload, Outcome]) -> dict[str, Any]:
    """Return for SQS the messages that failed, for other senders the count of each status.

    Raises `EventError` or `RetryableError` where only an exception makes AWS deliver again.
    """
    problems = {message.id: problem_of(message, outcomes) for message in batch.messages}
    if batch.from_queue:
        failed = [identity for identity, problem in problems.items() if problem is not None]
        return {"batchItemFailures": [{"itemIdentifier": identity} for identity in failed]}
    for message in batch.messages:
        if message.error is not None:
            raise EventError(message.error)
        problem = problems[message.id]
        if problem is not None:
            raise RetryableError(f"not all uploads could be processed; {problem}")
    statuses = [str(outcomes[upload].status) for m in batch.messages for upload in m.uploads]
    return {status: statuses.count(status) for status in dict.fromkeys(statuses)}


def build_job_response(job: BatchOperations, outcomes: Mapping[Upload, Outcome]) -> dict[str, Any]:
    """Return the response that S3 Batch Operations reads.

    A picture that cannot be classified has a row and is a permanent failure, so that the job's
    report lists it. What may succeed later is a temporary one, which the job tries again.
    """
    results = [{"taskId": m.id, **_result_of(m, outcomes)} for m in job.messages]
    return {
        "invocationSchemaVersion": job.schema_version,
        "treatMissingKeysAs": "PermanentFailure",
        "invocationId": job.invocation_id,
        "results": results,
    }


def _result_of(task: Message, outcomes: Mapping[Upload, Outcome]) -> dict[str, str]:
    if task.error is not None:
        return _result("PermanentFailure", task.error)
    for upload in task.uploads:
        outcome = outcomes[upload]
        row = outcome.row
        if outcome.status is UploadStatus.RETRY:
            return _result("TemporaryFailure", outcome.reason or "")
        if outcome.status is UploadStatus.REFUSED:
            return _result("PermanentFailure", outcome.reason or "")
        if row is not None and row.label is None:
            return _result("PermanentFailure", f"{row.error_code}: {row.error_message}")
        if row is not None:
            return _result("Succeeded", f"{row.label} {row.score:.3f}")
    return _result("Succeeded", "")


def _result(code: str, text: str) -> dict[str, str]:
    return {"resultCode": code, "resultString": text[:_MAX_RESULT_CHARACTERS]}
