"""What became of the uploads, to what the sender of the event is answered.

SQS is told which messages to keep (a partial batch answer); whoever calls asynchronously (S3, SNS,
EventBridge) learns of a failure by an exception, after which AWS calls again with the same event.
"""

from collections.abc import Mapping
from typing import Any

from seefood.errors import RetryableError
from seefood_lambda.events import Batch, EventError, Message, Upload
from seefood_lambda.uploads import Outcome, UploadStatus


def problem_of(message: Message, outcomes: Mapping[Upload, Outcome]) -> str | None:
    """Return why `message` has to come back; None if all in it is settled."""
    if message.error is not None:
        return message.error
    for upload in message.uploads:
        outcome = outcomes[upload]
        if outcome.fate is UploadStatus.RETRY:
            return f"{upload.ref.uri}: {outcome.reason}"
    return None


def answer_batch(batch: Batch, outcomes: Mapping[Upload, Outcome]) -> dict[str, Any]:
    """Return the answer to `batch`: for SQS which messages failed, else counts by fate.

    Raises `EventError` or `RetryableError` where only an exception brings the event back.
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
            raise RetryableError(f"not all uploads could be settled; {problem}")
    fates = [str(outcomes[upload].fate) for m in batch.messages for upload in m.uploads]
    return {fate: fates.count(fate) for fate in dict.fromkeys(fates)}
