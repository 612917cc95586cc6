import pytest

from seefood.errors import RetryableError
from seefood.records import ImageRef
from seefood_lambda.batch_response import build_batch_response
from seefood_lambda.events import Batch, EventError, Message, Upload
from seefood_lambda.uploads import Outcome, UploadStatus

GOOD = Upload(ImageRef("s3://b/good.jpg", "e1"))
BAD = Upload(ImageRef("s3://b/bad.jpg", "e2"))
LATE = Upload(ImageRef("s3://b/late.jpg", "e3"))
OUTCOMES = {
    GOOD: Outcome(GOOD.ref, UploadStatus.LABELLED),
    BAD: Outcome(BAD.ref, UploadStatus.FAILED),
    LATE: Outcome(LATE.ref, UploadStatus.RETRY, reason="the store failed"),
}


def test_a_queue_gets_back_only_messages_to_deliver_again() -> None:
    """A bad picture has a row and is done; a malformed or unfinished message fails on its own."""
    messages = (
        Message("m1", (GOOD, BAD)),
        Message("m2", (GOOD, LATE)),
        Message("m3", error="a message is not JSON"),
        Message("m4", ignored=("s3:TestEvent",)),
    )

    assert {"batchItemFailures": [{"itemIdentifier": "m2"}, {"itemIdentifier": "m3"}]} == (
        build_batch_response(Batch(messages, from_queue=True), OUTCOMES)
    )


def test_a_finished_batch_of_a_queue_returns_no_failures() -> None:
    """With an empty list SQS deletes all messages."""
    response = build_batch_response(Batch((Message("m1", (GOOD, BAD)),), from_queue=True), OUTCOMES)

    assert {"batchItemFailures": []} == response


def test_for_other_senders_a_failure_is_an_exception() -> None:
    """Then Lambda retries, and at last uses the failure destination."""
    with pytest.raises(RetryableError, match=r"late\.jpg: the store failed"):
        build_batch_response(Batch((Message("", (GOOD, LATE)),), from_queue=False), OUTCOMES)
    with pytest.raises(EventError, match="not JSON"):
        build_batch_response(Batch((Message("", error="not JSON"),), from_queue=False), OUTCOMES)


def test_other_senders_get_counts() -> None:
    """People who invoke the function by hand with an event see what happened."""
    batch = Batch((Message("", (GOOD, BAD)),), from_queue=False)

    assert {"labelled": 1, "failed": 1} == build_batch_response(batch, OUTCOMES)
