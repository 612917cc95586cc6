"""The whole job over a store with faults: they are retried, or are a row with a code."""

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from seefood.errors import JobError, UsageError
from seefood.records import Row
from seefood.results.files import read_rows
from seefood.runs.run_spec import ChunkSize, RunOptions
from seefood.storage.uris import parse_location
from seefood_pipeline.account import Outcome
from seefood_pipeline.launcher import launch
from seefood_pipeline.request import Request
from tests.bundles import fake_bundle
from tests.conftest import Bucket
from tests.fault_front import Fault, FaultFront
from tests.pictures import jpeg

pytestmark = pytest.mark.beam
_PICTURES = 12
_ODD = "in/odd//name.jpg"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that the fake engine is certified for."""
    return fake_bundle(tmp_path_factory.mktemp("bundle") / "fake").path


@pytest.fixture
def front(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultFront]:
    """A proxy with faults before a bucket of pictures, one of which has an odd name."""
    for number in range(_PICTURES - 1):
        s3.put(f"in/{number:02d}.jpg", jpeg((200, 10 * number, 30)))
    s3.put(_ODD, jpeg())
    with FaultFront(s3.endpoint).running() as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        yield running


def _run(s3: Bucket, bundle: Path, max_failure_ratio: float = 1.0) -> Outcome:
    chosen = RunOptions(engine="fake", chunk=ChunkSize(4), max_failure_ratio=max_failure_ratio)
    request = Request((f"{s3.uri}/in/",), f"{s3.uri}/out", bundle, chosen, report=False)
    return launch(request, "quiet")


def _rows(s3: Bucket) -> dict[str, Row]:
    """Return the rows by key, and check that each object has one."""
    rows = list(read_rows(parse_location(f"{s3.uri}/out")))
    by_key = {parse_location(row.uri).key: row for row in rows}
    assert len(by_key) == len(rows)
    return by_key


@pytest.mark.parametrize("kind", ["slow_down", "error", "reset", "truncate"])
def test_transient_faults_of_a_read_are_retried(
    kind: str, front: FaultFront, s3: Bucket, bundle: Path
) -> None:
    """After throttling, server errors, resets and truncated bodies every picture has its label."""
    front.faults += [Fault(kind, path, times=2) for path in ("in/03.jpg", _ODD)]  # type: ignore[arg-type]
    _run(s3, bundle)
    assert [2, 2] == [fault.met for fault in front.faults]
    assert {None: _PICTURES} == Counter(row.error_code for row in _rows(s3).values())


@pytest.mark.parametrize("kind", ["slow_down", "error", "reset", "truncate"])
def test_transient_faults_of_a_listing_are_retried(
    kind: str, front: FaultFront, s3: Bucket, bundle: Path
) -> None:
    """Every picture is listed although a page needs several attempts."""
    front.faults.append(Fault(kind, "list-type", times=3))  # type: ignore[arg-type]
    _run(s3, bundle)
    assert _PICTURES == len(_rows(s3))


@pytest.mark.parametrize("kind", ["slow_down", "reset"])
def test_transient_faults_of_a_write_are_retried(
    kind: str, front: FaultFront, s3: Bucket, bundle: Path
) -> None:
    """Rows are written once although the write needs several attempts."""
    front.faults.append(Fault(kind, "/results/", "PUT", times=2))  # type: ignore[arg-type]
    _run(s3, bundle)
    assert _PICTURES == len(_rows(s3))


@pytest.mark.parametrize("path", ["in/03.jpg", _ODD])
def test_a_forbidden_object_has_a_row_and_is_retried(
    path: str, front: FaultFront, s3: Bucket, bundle: Path
) -> None:
    """It fails only its own row, and the next run replaces that row."""
    front.faults.append(Fault("forbidden", path, times=9))
    _run(s3, bundle)
    assert "forbidden" == _rows(s3)[path].error_code
    front.faults.clear()
    outcome = _run(s3, bundle)
    assert 1 == outcome.summary["rows"]
    assert {None: _PICTURES} == Counter(row.error_code for row in _rows(s3).values())
    assert 0 == _run(s3, bundle).summary["rows"]


@pytest.mark.parametrize("path", ["in/03.jpg", _ODD])
def test_an_object_that_is_deleted_in_between_has_a_row(
    path: str, front: FaultFront, s3: Bucket, bundle: Path
) -> None:
    """An object that is listed and gone when it is read has the code `not_found`."""
    front.faults.append(
        Fault("call", path, call=lambda: s3.client.delete_object(Bucket=s3.name, Key=path))
    )
    _run(s3, bundle)
    assert "not_found" == _rows(s3)[path].error_code


@pytest.mark.parametrize("path", ["in/03.jpg", _ODD])
def test_an_object_that_is_replaced_in_between_has_the_code_changed(
    path: str, front: FaultFront, s3: Bucket, bundle: Path
) -> None:
    """The row of the old tag has no label; the next run classifies the new content."""
    front.faults.append(Fault("call", path, call=lambda: s3.put(path, jpeg((10, 200, 10)))))
    _run(s3, bundle)
    assert "changed" == _rows(s3)[path].error_code
    assert 1 == _run(s3, bundle).summary["rows"]
    rows = [row for row in read_rows(parse_location(f"{s3.uri}/out")) if row.uri.endswith(path)]
    assert ["changed", None] == [
        row.error_code for row in sorted(rows, key=lambda r: r.classified_at)
    ]


def test_a_slow_object_is_waited_for(front: FaultFront, s3: Bucket, bundle: Path) -> None:
    """A response that takes more than a second is no failure."""
    front.faults.append(Fault("delay", "in/03.jpg", seconds=1.5))
    _run(s3, bundle)
    assert {None: _PICTURES} == Counter(row.error_code for row in _rows(s3).values())


@pytest.mark.parametrize("path", ["in/03.jpg", _ODD])
def test_expired_credentials_stop_the_job_and_fail_no_picture(
    path: str, front: FaultFront, s3: Bucket, bundle: Path
) -> None:
    """No picture has a failed row, and with new credentials the job continues."""
    front.faults.append(Fault("expired", path, times=99))
    with pytest.raises(JobError, match="ExpiredToken: the credentials have expired"):
        _run(s3, bundle)
    front.faults.clear()
    _run(s3, bundle)
    assert {None: _PICTURES} == Counter(row.error_code for row in _rows(s3).values())


def test_expired_credentials_of_a_listing_are_a_usage_error(
    front: FaultFront, s3: Bucket, bundle: Path
) -> None:
    """They are found before any work."""
    front.faults.append(Fault("expired", "list-type", times=99))
    with pytest.raises(UsageError, match="the credentials have expired"):
        _run(s3, bundle)


def test_a_job_stops_once_too_many_have_failed(front: FaultFront, s3: Bucket, bundle: Path) -> None:
    """Rows that are written stay and are counted; the other pictures are left for another run."""
    for number in range(180):
        s3.put(f"in/x{number:03d}.jpg", b"no picture")
    outcome = _run(s3, bundle, max_failure_ratio=0.5)
    assert outcome.summary["stopped_early"]
    assert outcome.failure_ratio > 0.5
    assert 100 <= outcome.summary["rows"] == len(_rows(s3)) < 150
    assert front.requests


def test_reads_are_concurrent(front: FaultFront, s3: Bucket, bundle: Path) -> None:
    """Eight reads wait for the store at the same time, so its latency is not paid one by one."""
    for number in range(80):
        s3.put(f"in/y{number:03d}.jpg", jpeg())
    numbers, eight = iter(range(1, 1000)), threading.Event()
    alone: list[int] = []

    def wait_for_eight() -> None:
        number = next(numbers)
        if number == 8:
            eight.set()
        if not eight.wait(60):
            alone.append(number)

    front.faults.append(Fault("call", "in/y", times=80, call=wait_for_eight))
    assert _PICTURES + 80 == _run(s3, bundle).summary["rows"]
    assert [] == alone
