"""A decoder that crashes, hangs or eats memory costs its own picture's row and nothing else."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from seefood.classify import ClassifyOptions
from seefood.errors import BundleError, JobError
from seefood.imaging.limits import Limits
from seefood.records import ImageRef
from seefood.runs.progress import ProgressCounters
from seefood.storage import open_store
from seefood.workers.isolated import IsolatedWorker
from seefood.workers.protocol import WorkerConfig
from seefood.workers.subprocess_client import WorkerProcess
from seefood.workers.supervisor import SupervisedWorker
from tests.bundles import fake_bundle
from tests.conftest import ROOT
from tests.fakes import MODEL, uris
from tests.pictures import jpeg

RED, GREEN, BLUE = jpeg((250, 5, 5)), jpeg((5, 250, 5)), jpeg((5, 5, 250))
GREY, WHITE = jpeg((90, 90, 90)), jpeg((250, 250, 250))
QUICK = ClassifyOptions(limits=Limits(max_seconds=1.0))


def _start(
    settings: ClassifyOptions = QUICK, engine: str = "fake", threads: int = 2
) -> WorkerConfig:
    return WorkerConfig("", None, engine, settings, threads)


def _command(folder: Path) -> tuple[str, ...]:
    return sys.executable, str(ROOT / "tests" / "hostile_worker.py"), str(folder)


@contextmanager
def _worker(folder: Path, meter: ProgressCounters | None = None) -> Iterator[SupervisedWorker]:
    worker = SupervisedWorker(_start(), MODEL, meter=meter, command=_command(folder))
    try:
        yield worker
    finally:
        worker.close()


def _put(folder: Path, pictures: list[bytes]) -> list[ImageRef]:
    folder.mkdir()
    for number, data in enumerate(pictures):
        (folder / f"{number:03d}.jpg").write_bytes(data)
    return list(open_store("file://").list(str(folder)))


def test_a_segmentation_fault_costs_one_row(tmp_path: Path) -> None:
    """The picture that kills its worker gets a row that says so; all others their labels."""
    refs = _put(tmp_path / "in", [GREEN if n == 17 else RED for n in range(40)])
    meter = ProgressCounters()
    with _worker(tmp_path, meter) as worker:
        assert "fake" == worker.engine_name
        rows = worker.classify(refs)
    assert uris(rows) == [ref.uri for ref in refs]
    assert {17: "decoder_crash"} == {n: r.error_code for n, r in enumerate(rows) if r.error_code}
    assert "SIGSEGV" in (rows[17].error_message or "")
    assert 39 == [row.label for row in rows].count("red")
    assert 2 == len(list(tmp_path.glob("segv-*")))
    assert (40, 1) == (meter.rows, meter.failed)


def test_a_hang_costs_one_row(tmp_path: Path) -> None:
    """What takes longer than its seconds, twice, gets a row; all others their labels."""
    refs = _put(tmp_path / "in", [BLUE if n == 3 else RED for n in range(20)])
    begun = time.monotonic()
    with _worker(tmp_path) as worker:
        rows = worker.classify(refs)
    assert {3: "timeout"} == {n: row.error_code for n, row in enumerate(rows) if row.error_code}
    assert "longer than the limit of 1 seconds" in (rows[3].error_message or "")
    assert time.monotonic() - begun < 30.0


def test_an_innocent_suspect_gets_its_label(tmp_path: Path) -> None:
    """A worker that was killed from outside (the system ran out of memory) costs nothing."""
    refs = _put(tmp_path / "in", [GREY if n == 5 else RED for n in range(20)])
    with _worker(tmp_path) as worker:
        rows = worker.classify(refs)
    assert [] == [row.error_code for row in rows if row.error_code]
    assert (tmp_path / "crashed-once").exists()


def test_many_crashers_do_not_starve_the_rest(tmp_path: Path) -> None:
    """A chunk that kills worker after worker is taken through alone, and ends with all its rows."""
    refs = _put(tmp_path / "in", [GREEN if n % 3 == 0 else RED for n in range(24)])
    with _worker(tmp_path) as worker:
        rows = worker.classify(refs)
    codes = [row.error_code for row in rows]
    assert ["decoder_crash" if n % 3 == 0 else None for n in range(24)] == codes


def test_a_worker_alone_has_bounded_memory(tmp_path: Path) -> None:
    """What asks for all memory there is fails by itself; its process and its neighbours live on."""
    (ref,) = _put(tmp_path / "in", [WHITE])
    solo = IsolatedWorker(_start(), _command(tmp_path))
    greedy, plain = solo.classify_one(ref, MODEL), solo.classify_one(ImageRef("-"), MODEL, RED)
    solo.close()
    assert "out_of_memory" == greedy.error_code
    assert ("-", "red") == (plain.uri, plain.label)


def test_an_operator_who_stops_waits_for_no_hang(tmp_path: Path) -> None:
    """Once the time for stopping is over a chunk ends, whatever its worker does."""
    refs = _put(tmp_path / "in", [BLUE] * 4)
    meter = ProgressCounters()
    with _worker(tmp_path, meter) as worker:
        _ = worker.engine_name
        meter.request_stop(0.2)
        with pytest.raises(JobError, match="stopped before all pictures were classified"):
            worker.classify(refs)


def test_a_worker_that_cannot_start_says_so(tmp_path: Path) -> None:
    """A program that ends before it is ready is an error of the job, for every caller."""
    start = _start(engine="absent")
    worker = SupervisedWorker(start, MODEL, command=_command(tmp_path))
    for _ in range(2):
        with pytest.raises(JobError, match="ended before it was ready"):
            _ = worker.engine_name
    worker.close()


def test_a_wrong_bundle_is_the_users_error(tmp_path: Path) -> None:
    """What the program finds wrong with the bundle comes back as the same kind of error."""
    bundle = fake_bundle(tmp_path / "bundle")
    good = WorkerConfig(str(bundle.path), bundle.digest, "fake", QUICK, 1)
    worker = SupervisedWorker(good, MODEL)
    assert "fake" == worker.engine_name
    worker.close()
    other = WorkerConfig(str(bundle.path), "0" * 64, "fake", QUICK, 1)
    worker = SupervisedWorker(other, MODEL)
    with pytest.raises(BundleError, match="was asked for"):
        _ = worker.engine_name
    worker.close()


def test_a_worker_process_ends_with_who_started_it(tmp_path: Path) -> None:
    """Closing stdin, which any death of the parent does, ends the process."""

    class Nobody:
        def on_row(self, *_: object) -> None:
            """Hear nothing."""

        def on_failed(self, *_: object) -> None:
            """Hear nothing."""

        def on_end(self, _: WorkerProcess, status: int) -> None:
            """Keep the status."""
            ended.append(status)

    ended: list[int] = []
    process = WorkerProcess(_start(), Nobody(), _command(tmp_path))
    process.wait_ready()
    process.close()
    deadline = time.monotonic() + 5
    while not ended and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [0] == ended
