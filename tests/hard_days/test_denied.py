"""Write access to the output bucket is denied during a run."""

from collections.abc import Iterator

import pytest

from tests.conftest import Bucket
from tests.fault_front import Fault, FaultFront
from tests.hard_days.command import check_complete, classify, fill_bucket, rows_once

pytestmark = pytest.mark.beam
_PICTURES = 60


@pytest.fixture
def front(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultFront]:
    """Run a fault front before a bucket with pictures."""
    fill_bucket(s3, _PICTURES)
    with FaultFront(s3.endpoint).running() as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        yield running


def test_a_denied_output_stops_the_run_and_a_rerun_completes(front: FaultFront, s3: Bucket) -> None:
    """Exit code 1 and a message with object and cause; the rows of two chunks are kept."""
    front.faults += [
        Fault("call", "/results/", "PUT", times=2),
        Fault("forbidden", "/results/", "PUT", times=1_000_000),
    ]
    output = f"{s3.uri}/out"
    stopped = classify(f"{s3.uri}/in/", output, "--chunk-size", "10")
    assert (1, "") == (stopped.code, stopped.out)
    assert "the credentials may not write it; check the bucket" in stopped.message()
    assert 20 == len(rows_once(output))
    front.faults.clear()
    rerun = classify(f"{s3.uri}/in/", output)
    assert (0, "") == (rerun.code, rerun.err)
    check_complete(output, _PICTURES)


def test_an_output_that_is_denied_from_the_start_is_refused(front: FaultFront, s3: Bucket) -> None:
    """Exit code 2 before any picture is read."""
    front.faults.append(Fault("forbidden", "/out/", "PUT", times=1_000_000))
    refused = classify(f"{s3.uri}/in/", f"{s3.uri}/out")
    assert (2, "") == (refused.code, refused.out)
    assert "the output cannot be written" in refused.message()
    assert [] == [request for request in front.requests if request.endswith(".jpg")]
