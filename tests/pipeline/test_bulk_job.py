"""The whole job on Beam's local runner: every picture has one row, whatever fails."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from uuid import uuid4

import pytest

from seefood.errors import JobError, UsageError
from seefood.imaging.decode import Pixels
from seefood.records import Row
from seefood.results.files import list_parts, read_rows
from seefood.results.totals import Totals
from seefood.runs.run_spec import ChunkSize, RunOptions, RunSpec
from seefood.sources.registry import parse_source
from seefood.storage import open_store
from seefood.storage.uris import parse_location
from seefood_pipeline.bulk_job import BulkJob, check_totals, run_bulk_job
from seefood_pipeline.coordination import take_totals
from seefood_pipeline.options import pipeline_options
from seefood_pipeline.run_control import RunControl
from seefood_pipeline.worker_factory import WorkerKey, run_counters
from tests.conftest import Bucket
from tests.fakes import DIGEST, LocalClassifier, fake_worker, put_all
from tests.pictures import jpeg

pytestmark = pytest.mark.beam

RED, GREEN = jpeg((250, 5, 5)), jpeg((5, 250, 5))
hooks: list[Callable[[], None]] = []
"""Functions that the engine calls before its next pictures, one for each call."""
calls = threading.Lock()


def before(_: Pixels) -> None:
    """Run the next hook."""
    with calls:
        hook = hooks.pop(0) if hooks else None
    if hook is not None:
        hook()


@cache
def _worker() -> LocalClassifier:
    return fake_worker(before)


@contextmanager
def open_worker(key: WorkerKey) -> Iterator[LocalClassifier]:
    """Lend the one worker of this process, as a runner's process does."""
    del key
    yield _worker()


@pytest.fixture(autouse=True)
def no_hooks() -> Iterator[None]:
    """Remove the hooks of other tests."""
    hooks.clear()
    yield
    hooks.clear()


def _job(source: str, output: str, chunk: int = 20) -> BulkJob:
    run = RunSpec(
        output=parse_location(output),
        digest=DIGEST,
        run_id=f"test-{uuid4().hex}",
        sources=(parse_source(source),),
        options=RunOptions(chunk=ChunkSize(chunk)),
    )
    done_parts = tuple(part.uri for part in list_parts(run.output, DIGEST))
    return BulkJob(RunControl(run, done_parts), open_worker)


def _rows(output: str) -> list[Row]:
    return list(read_rows(parse_location(output)))


def _once(rows: list[Row]) -> set[str]:
    """Return the URIs of `rows`, and check that each picture has one row."""
    counts = Counter((row.uri, row.etag) for row in rows)
    assert set() == {key for key, count in counts.items() if count > 1}
    return {row.uri for row in rows}


@pytest.mark.parametrize("arguments", [(), ("--runner=DirectRunner",)], ids=["own", "direct"])
def test_every_picture_has_one_row(memory: str, arguments: tuple[str, ...]) -> None:
    """On either local runner, each picture has a row, and the counts agree."""
    refs = put_all(f"{memory}-in", {f"{n:03d}.jpg": RED if n % 3 else b"no" for n in range(90)})
    totals = run_bulk_job(_job(f"{memory}-in", f"{memory}/out"), arguments)
    rows = _rows(f"{memory}/out")
    assert {ref.uri for ref in refs} == _once(rows)
    assert (90, 0, 90, 5) == (totals.listed, totals.skipped, totals.rows, totals.parts)
    assert {"ok": 60, "failed": 30} == totals.by_status
    assert {"not_an_image": 30} == totals.by_error
    assert [] == [ref.uri for ref in open_store(memory).list("out/runs/")]


def test_a_rerun_classifies_only_new_pictures(memory: str) -> None:
    """A rerun without a change does nothing; later only changed and new objects are classified."""
    source, output = f"{memory}-in", f"{memory}/out"
    put_all(source, {f"{n:02d}.jpg": RED for n in range(30)})
    assert 30 == run_bulk_job(_job(source, output)).rows
    again = run_bulk_job(_job(source, output))
    assert (30, 30, 0) == (again.listed, again.skipped, again.rows)
    put_all(source, {"07.jpg": GREEN, "new.jpg": GREEN})
    third = run_bulk_job(_job(source, output))
    assert (31, 29, 2, {"green": 2}) == (
        third.listed, third.skipped, third.rows, third.by_label,
    )  # fmt: skip
    assert 32 == len(_rows(output))
    _once(_rows(output))


def test_an_empty_listing_is_a_finished_job(memory: str) -> None:
    """A job without a new picture succeeds, and its counts are zero."""
    put_all(f"{memory}-in", {"a.jpg": RED})
    job = _job(f"{memory}-in/none", f"{memory}/out")
    assert Totals() == run_bulk_job(job)


def test_a_change_between_listing_and_reading_is_a_row(memory: str) -> None:
    """An object that is deleted or replaced after it was listed has a code and no label."""
    source, output = f"{memory}-in", f"{memory}/out"
    put_all(source, {f"{n:02d}.jpg": RED for n in range(100)})  # three chunks are read ahead
    store = open_store(source)

    def change_objects() -> None:
        store.delete("98.jpg")
        store.write("99.jpg", GREEN)

    hooks.append(change_objects)
    totals = run_bulk_job(_job(source, output))
    assert {"not_found": 1, "changed": 1} == totals.by_error
    rows = {row.uri[-6:-4]: row for row in _rows(output)}
    assert ("not_found", "changed") == (rows["98"].error_code, rows["99"].error_code)
    assert 100 == len(rows) == totals.rows


def test_a_rerun_completes_a_job_that_crashed(memory: str) -> None:
    """The message has the cause; finished chunks stay, and no row is written twice."""
    source, output = f"{memory}-in", f"{memory}/out"
    refs = put_all(source, {f"{n:03d}.jpg": RED for n in range(200)})

    def nothing() -> None:
        """Let a picture pass."""

    def crash() -> None:
        raise _Crash("the engine took the interpreter down")

    hooks.extend([nothing] * 130 + [crash] * 3)
    with pytest.raises(JobError, match="the engine took the interpreter down"):
        run_bulk_job(_job(source, output))
    survived = _rows(output)
    assert 0 < len(survived) < 200
    hooks.clear()
    totals = run_bulk_job(_job(source, output))
    assert len(survived) == totals.skipped
    assert {ref.uri for ref in refs} == _once(_rows(output))


class _Crash(BaseException):
    """Not an error of a picture."""


def test_no_chunk_is_in_flight_after_a_failure(memory: str) -> None:
    """After the job has failed nothing writes any more, so that a rerun is alone."""
    source, output = f"{memory}-in", f"{memory}/out"
    put_all(source, {f"{n:03d}.jpg": RED for n in range(100)})
    job = _job(source, output)
    counters = run_counters(job.run.run_id)
    hooks.extend([lambda: None] * 30 + [lambda: counters.request_stop(60.0)])
    with pytest.raises(JobError, match="stopped before all pictures were classified"):
        run_bulk_job(job)
    before_rerun = len(_rows(output))
    totals = run_bulk_job(_job(source, output))
    assert before_rerun == totals.skipped
    assert 100 == len(_once(_rows(output)))


def test_an_output_that_cannot_be_written_is_an_error(memory: str) -> None:
    """The message is the store's, not a runner's traceback."""
    put_all(f"{memory}-in", {"a.jpg": RED})
    job = _job(f"{memory}-in", "/dev/null/out")
    with pytest.raises(JobError, match=r"^cannot write /dev/null/out/results/.* choose another"):
        run_bulk_job(job)


def test_errors_keep_their_class(memory: str, tmp_path: Path) -> None:
    """A usage error in a step is a usage error of the job."""
    job = _job(str(tmp_path), f"{memory}/out")
    tmp_path.rmdir()
    expected = rf"^there is nothing at {tmp_path}; check the path(; did you mean .+\?)?$"
    with pytest.raises(UsageError, match=expected):
        run_bulk_job(job)


def test_two_runs_at_once_write_the_same_objects(memory: str) -> None:
    """Runs from the same state write the same parts, so each picture has one row."""
    source, output = f"{memory}-in", f"{memory}/out"
    refs = put_all(source, {f"{n:03d}.jpg": RED for n in range(120)})
    jobs = [_job(source, output), _job(source, output)]
    threads = [threading.Thread(target=run_bulk_job, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {ref.uri for ref in refs} == _once(_rows(output))


def test_a_job_with_missing_rows_fails() -> None:
    """There must be as many rows as new pictures."""
    check_totals(Totals(listed=5, skipped=2, rows=3))
    with pytest.raises(JobError, match="3 pictures were to be classified and 2 rows were written"):
        check_totals(Totals(listed=5, skipped=2, rows=2))
    with pytest.raises(JobError, match="2 pictures were to be classified and 3 rows were written"):
        check_totals(Totals(listed=4, skipped=2, rows=3))


def test_a_job_without_counts_fails(memory: str) -> None:
    """A job must leave its counts in the run's folder."""
    with pytest.raises(JobError, match="ended without its counts at memory://"):
        take_totals(RunSpec(parse_location(memory), DIGEST, "x"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--no_such_option"], "Beam knows no option --no_such_option"),
        (["--runner=FnApiRunner", "stray"], "Beam knows no option stray"),
        (["--runner"], "Beam refuses --runner"),
        (["--runner=Nonsense"], "Beam has no runner 'Nonsense' here"),
        (["--runner=no.such.module.Runner"], "Beam has no runner"),
        (["--direct_num_workers=many"], "Beam refuses --direct_num_workers=many"),
    ],
)
def test_options_are_beams_own(arguments: list[str], message: str) -> None:
    """Options after `--` are checked before any work."""
    with pytest.raises(UsageError, match=message):
        pipeline_options(arguments)


def test_the_runner_in_this_process_is_the_default() -> None:
    """Without `--runner` the job runs in this process."""
    for arguments, runner in (
        ([], "FnApiRunner"),
        (["--runner=DirectRunner"], "DirectRunner"),
        (["--runner", "DirectRunner"], "DirectRunner"),
    ):
        assert runner == pipeline_options(arguments).get_all_options()["runner"]


def test_a_bucket_of_more_than_a_page(s3: Bucket, caplog: pytest.LogCaptureFixture) -> None:
    """On an S3 server: several pages, odd names and broken objects; a rerun has nothing to do."""
    odd = [
        "a b.jpg", "a+b.jpg", "100% beef.jpg", "50%20off.jpg", "donut #3?.jpg", "ünï/ホット🌭.jpg",
        "deep/er/still/x.jpg", "quote'\".jpg", "d//ouble.jpg",
    ]  # fmt: skip
    keys = [f"in/{name}" for name in [*odd, *(f"many/{n:04d}.jpg" for n in range(1000))]]
    s3.put_many(dict.fromkeys(keys, RED))
    s3.put("in/empty.jpg", b"")
    s3.put("in/broken.jpg", RED[:100])
    s3.put("elsewhere.jpg", RED)
    caplog.set_level(logging.ERROR)
    totals = run_bulk_job(_job(f"{s3.uri}/in/", f"{s3.uri}/out", chunk=300))
    rows = _rows(f"{s3.uri}/out")
    expected = {f"{s3.uri}/{key}" for key in [*keys, "in/empty.jpg", "in/broken.jpg"]}
    assert expected == _once(rows)
    assert {"empty": 1, "truncated": 1} == totals.by_error
    assert {f"{s3.uri}/{key}": etag for key, etag in _etags(s3).items()} == {
        row.uri: row.etag for row in rows
    }
    again = run_bulk_job(_job(f"{s3.uri}/in/", f"{s3.uri}/out"))
    assert (len(expected), len(expected), 0) == (again.listed, again.skipped, again.rows)


def _etags(s3: Bucket) -> dict[str, str]:
    pages = s3.client.get_paginator("list_objects_v2").paginate(Bucket=s3.name, Prefix="in/")
    return {
        item["Key"]: item["ETag"].strip('"') for page in pages for item in page.get("Contents", [])
    }
