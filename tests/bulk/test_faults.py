"""The whole job over a store that fails: retried where it helps, a row with a code where not."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from seefood.errors import JobError, UsageError
from seefood.records import Row
from seefood.results.files import read_rows
from seefood.storage.uris import parse_location
from seefood.workers.chunks import ChunkSize
from seefood_pipeline.launcher import Outcome, Request, launch
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
    """Faults between seefood and the bucket, which holds pictures; one has an odd name."""
    for number in range(_PICTURES - 1):
        s3.put(f"in/{number:02d}.jpg", jpeg((200, 10 * number, 30)))
    s3.put(_ODD, jpeg())
    with FaultFront(s3.endpoint).running() as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        yield running


def _run(s3: Bucket, bundle: Path, **options: object) -> Outcome:
    request = Request(
        (f"{s3.uri}/in/",),
        f"{s3.uri}/out",
        bundle,
        engine="fake",
        report=False,
        chunk=ChunkSize(4),
        **options,  # type: ignore[arg-type]
    )
    return launch(request, "quiet")


def _rows(s3: Bucket) -> dict[str, Row]:
    """Return the rows by key, and that there is one for each."""
    rows = list(read_rows(parse_location(f"{s3.uri}/out")))
    found = {parse_location(row.uri).key: row for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.mark.parametrize("path", ["in/03.jpg", _ODD])
@pytest.mark.parametrize("kind", ["slow_down", "error", "reset", "truncate"])
def test_passing_faults_of_a_read_are_retried(
    kind: str, path: str, front: FaultFront, s3: Bucket, bundle: Path
) -> None:
    """Throttling, server errors, resets and bodies that end early leave no trace in the rows."""
    front.faults.append(Fault(kind, path, times=2))  # type: ignore[arg-type]
    _run(s3, bundle)
    assert 2 == front.faults[0].met
    assert {None: _PICTURES} == Counter(row.error_code for row in _rows(s3).values())


@pytest.mark.parametrize("kind", ["slow_down", "error", "reset", "truncate"])
def test_passing_faults_of_a_listing_are_retried(
    kind: str, front: FaultFront, s3: Bucket, bundle: Path
) -> None:
    """Nothing is lost because a page of the listing came at the second try only."""
    front.faults.append(Fault(kind, "list-type", times=3))  # type: ignore[arg-type]
    _run(s3, bundle)
    assert _PICTURES == len(_rows(s3))


@pytest.mark.parametrize("kind", ["slow_down", "reset"])
def test_passing_faults_of_a_write_are_retried(
    kind: str, front: FaultFront, s3: Bucket, bundle: Path
) -> None:
    """Rows are written once, whatever the store says at first."""
    front.faults.append(Fault(kind, "/results/", "PUT", times=2))  # type: ignore[arg-type]
    _run(s3, bundle)
    assert _PICTURES == len(_rows(s3))


@pytest.mark.parametrize("path", ["in/03.jpg", _ODD])
def test_a_forbidden_object_has_a_row_and_another_chance(
    path: str, front: FaultFront, s3: Bucket, bundle: Path
) -> None:
    """One refused object costs itself only; the next run tries it again, and the row goes."""
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
    """Listed, and gone when it is read."""
    front.faults.append(
        Fault("call", path, call=lambda: s3.client.delete_object(Bucket=s3.name, Key=path))
    )
    _run(s3, bundle)
    assert "not_found" == _rows(s3)[path].error_code


@pytest.mark.parametrize("path", ["in/03.jpg", _ODD])
def test_an_object_that_is_replaced_in_between_is_never_mixed_up(
    path: str, front: FaultFront, s3: Bucket, bundle: Path
) -> None:
    """The row of the old tag says so; the next run classifies the new content."""
    front.faults.append(Fault("call", path, call=lambda: s3.put(path, jpeg((10, 200, 10)))))
    _run(s3, bundle)
    assert "changed" == _rows(s3)[path].error_code
    assert 1 == _run(s3, bundle).summary["rows"]
    rows = [row for row in read_rows(parse_location(f"{s3.uri}/out")) if row.uri.endswith(path)]
    assert ["changed", None] == [
        row.error_code for row in sorted(rows, key=lambda r: r.classified_at)
    ]


def test_a_slow_object_delays_itself_only(front: FaultFront, s3: Bucket, bundle: Path) -> None:
    """A response that takes its time is waited for."""
    front.faults.append(Fault("delay", "in/03.jpg", seconds=1.5))
    _run(s3, bundle)
    assert {None: _PICTURES} == Counter(row.error_code for row in _rows(s3).values())


@pytest.mark.parametrize("path", ["in/03.jpg", _ODD])
def test_expired_credentials_stop_the_job_and_cost_no_picture(
    path: str, front: FaultFront, s3: Bucket, bundle: Path
) -> None:
    """No picture is to blame: no failed rows, and with new credentials the job goes on."""
    front.faults.append(Fault("expired", path, times=99))
    with pytest.raises(JobError, match="ExpiredToken: the credentials have expired"):
        _run(s3, bundle)
    front.faults.clear()
    _run(s3, bundle)
    assert {None: _PICTURES} == Counter(row.error_code for row in _rows(s3).values())


def test_expired_credentials_of_a_listing_are_a_usage_error(
    front: FaultFront, s3: Bucket, bundle: Path
) -> None:
    """Found before any work."""
    front.faults.append(Fault("expired", "list-type", times=99))
    with pytest.raises(UsageError, match="the credentials have expired"):
        _run(s3, bundle)


def test_a_job_stops_once_too_many_have_failed(front: FaultFront, s3: Bucket, bundle: Path) -> None:
    """What was written is kept, every row of it counted, and the rest is left for another run."""
    for number in range(180):
        s3.put(f"in/x{number:03d}.jpg", b"no picture")
    outcome = _run(s3, bundle, max_failure_ratio=0.5)
    assert outcome.summary["stopped_early"]
    assert outcome.failure_ratio > 0.5
    assert 100 <= outcome.summary["rows"] == len(_rows(s3)) < 150
    assert front.requests


def test_latency_is_hidden(front: FaultFront, s3: Bucket, bundle: Path) -> None:
    """Two hundred milliseconds on every read are paid once for many pictures, not once for each."""
    for number in range(80):
        s3.put(f"in/y{number:03d}.jpg", jpeg())
    front.latency_seconds = 0.2
    begun = time.monotonic()
    outcome = _run(s3, bundle)
    assert _PICTURES + 80 == outcome.summary["rows"]
    assert time.monotonic() - begun < 92 * 0.2
