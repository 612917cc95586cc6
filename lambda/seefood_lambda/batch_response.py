"""The response to a batch of uploads, and whether AWS delivers any of them again.

SQS gets a partial batch response: the ids of the messages to keep. S3, SNS and EventBridge invoke
the function asynchronously: they deliver the event again when the function raises.
"""

from collections.abc import Mapping
from typing import Any

from seefood.errors import RetryableError
from seefood_lambda.events import Batch, EventError, Message, Upload
from seefood_lambda.uploads import Outcome, UploadStatus


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
