"""The output bucket is denied half-way, by a policy that somebody changed."""

from collections.abc import Iterator

import pytest

from tests.conftest import Bucket
from tests.fault_front import Fault, FaultFront
from tests.hard_days.command import check_complete, classify, rows_once
from tests.pictures import jpeg

pytestmark = pytest.mark.beam
_PICTURES = 60


@pytest.fixture
def front(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultFront]:
    """Pictures in a bucket, behind a front."""
    for number in range(_PICTURES):
        s3.put(f"in/{number:03d}.jpg", jpeg((200, number, 30)))
    with FaultFront(s3.endpoint).running() as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        yield running


def test_a_denied_output_stops_the_run_and_leave_lets_it_go_on(
    front: FaultFront, s3: Bucket
) -> None:
    """Exit code 1, a sentence with the object and the cause; two chunks' rows stay."""
    front.faults += [
        Fault("call", "/results/", "PUT", times=2),
        Fault("forbidden", "/results/", "PUT", times=1_000_000),
    ]
    place = f"{s3.uri}/out"
    stopped = classify(f"{s3.uri}/in/", place, "--chunk-size", "10")
    assert (1, "") == (stopped.code, stopped.out)
    assert "the credentials may not write it; check the bucket" in stopped.sentence()
    assert 20 == len(rows_once(place))
    front.faults.clear()
    assert (0, "") == (classify(f"{s3.uri}/in/", place).code, "")
    check_complete(place, _PICTURES)


def test_an_output_that_is_denied_at_once_costs_no_work(front: FaultFront, s3: Bucket) -> None:
    """Exit code 2: found before any picture was read."""
    front.faults.append(Fault("forbidden", "/out/", "PUT", times=1_000_000))
    refused = classify(f"{s3.uri}/in/", f"{s3.uri}/out")
    assert (2, "") == (refused.code, refused.out)
    assert "the output cannot be written" in refused.sentence()
    assert [] == [asked for asked in front.requests if asked.endswith(".jpg")]
