import pytest

from seefood.errors import RetryableError
from seefood.records import ImageRef
from seefood_lambda.batch_response import answer_batch
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


def test_a_queue_gets_back_only_what_has_to_come_again() -> None:
    """A bad picture has its row and is done; a malformed or unsettled message fails by itself."""
    messages = (
        Message("m1", (GOOD, BAD)),
        Message("m2", (GOOD, LATE)),
        Message("m3", error="a message that is no JSON"),
        Message("m4", ignored=("s3:TestEvent",)),
    )

    assert {"batchItemFailures": [{"itemIdentifier": "m2"}, {"itemIdentifier": "m3"}]} == (
        answer_batch(Batch(messages, from_queue=True), OUTCOMES)
    )


def test_a_settled_batch_of_a_queue_gives_nothing_back() -> None:
    """An empty list is how SQS learns that all may be deleted."""
    answer = answer_batch(Batch((Message("m1", (GOOD, BAD)),), from_queue=True), OUTCOMES)

    assert {"batchItemFailures": []} == answer


def test_other_senders_learn_of_a_failure_by_an_exception() -> None:
    """Lambda's own retries, and then its failure destination, take it up."""
    with pytest.raises(RetryableError, match=r"late\.jpg: the store failed"):
        answer_batch(Batch((Message("", (GOOD, LATE)),), from_queue=False), OUTCOMES)
    with pytest.raises(EventError, match="no JSON"):
        answer_batch(Batch((Message("", error="no JSON"),), from_queue=False), OUTCOMES)


def test_other_senders_are_told_counts() -> None:
    """For people who invoke the function by hand with an event."""
    batch = Batch((Message("", (GOOD, BAD)),), from_queue=False)

    assert {"labelled": 1, "failed": 1} == answer_batch(batch, OUTCOMES)
