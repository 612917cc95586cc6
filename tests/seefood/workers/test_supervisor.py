"""A picture that crashes, hangs or exhausts a decoder fails only its own row."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from seefood.classification import ClassifyOptions
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


def _config(engine: str = "fake") -> WorkerConfig:
    return WorkerConfig("", None, engine, QUICK, threads=2)


def _command(folder: Path) -> tuple[str, ...]:
    return sys.executable, str(ROOT / "tests" / "hostile_worker.py"), str(folder)


@contextmanager
def _worker(folder: Path, counters: ProgressCounters | None = None) -> Iterator[SupervisedWorker]:
    worker = SupervisedWorker(_config(), MODEL, counters=counters, command=_command(folder))
    try:
        yield worker
    finally:
        worker.close()


def _put(folder: Path, pictures: list[bytes]) -> list[ImageRef]:
    folder.mkdir()
    for number, data in enumerate(pictures):
        (folder / f"{number:03d}.jpg").write_bytes(data)
    return list(open_store("file://").list(str(folder)))


def test_a_segmentation_fault_fails_one_row(tmp_path: Path) -> None:
    """The picture that kills its worker has the code `decoder_crash`; all others their labels."""
    refs = _put(tmp_path / "in", [GREEN if n == 17 else RED for n in range(40)])
    counters = ProgressCounters()
    with _worker(tmp_path, counters) as worker:
        assert "fake" == worker.engine_name
        rows = worker.classify(refs)
    assert uris(rows) == [ref.uri for ref in refs]
    assert {17: "decoder_crash"} == {n: r.error_code for n, r in enumerate(rows) if r.error_code}
    assert "SIGSEGV" in (rows[17].error_message or "")
    assert 39 == [row.label for row in rows].count("red")
    assert 2 == len(list(tmp_path.glob("segv-*")))
    assert (40, 1) == (counters.rows, counters.failed)


def test_a_hang_fails_one_row(tmp_path: Path) -> None:
    """A picture that exceeds its seconds twice has the code `timeout`; all others their labels."""
    refs = _put(tmp_path / "in", [BLUE if n == 3 else RED for n in range(20)])
    with _worker(tmp_path) as worker:
        rows = worker.classify(refs)
    assert {3: "timeout"} == {n: row.error_code for n, row in enumerate(rows) if row.error_code}
    assert "longer than the limit of 1 seconds" in (rows[3].error_message or "")


def test_a_suspect_that_did_nothing_gets_its_label(tmp_path: Path) -> None:
    """A worker that was killed from outside fails no picture."""
    refs = _put(tmp_path / "in", [GREY if n == 5 else RED for n in range(20)])
    with _worker(tmp_path) as worker:
        rows = worker.classify(refs)
    assert [] == [row.error_code for row in rows if row.error_code]
    assert (tmp_path / "crashed-once").exists()


def test_a_chunk_with_many_crashes_is_finished(tmp_path: Path) -> None:
    """After several deaths its pictures are classified one by one, and each has its row."""
    refs = _put(tmp_path / "in", [GREEN if n % 3 == 0 else RED for n in range(24)])
    with _worker(tmp_path) as worker:
        rows = worker.classify(refs)
    codes = [row.error_code for row in rows]
    assert ["decoder_crash" if n % 3 == 0 else None for n in range(24)] == codes


def test_an_isolated_worker_has_bounded_memory(tmp_path: Path) -> None:
    """A picture that needs all memory fails alone; the process classifies the next one."""
    (ref,) = _put(tmp_path / "in", [WHITE])
    isolated = IsolatedWorker(_config(), _command(tmp_path))
    greedy = isolated.classify_one(ref, MODEL)
    plain = isolated.classify_one(ImageRef("-"), MODEL, RED)
    isolated.close()
    assert "out_of_memory" == greedy.error_code
    assert ("-", "red") == (plain.uri, plain.label)


@pytest.mark.parametrize("isolated", [True, False], ids=["isolated", "supervised"])
def test_a_closed_worker_starts_no_process(tmp_path: Path, *, isolated: bool) -> None:
    """A process that starts while another thread closes the worker would never be ended."""
    worker: IsolatedWorker | SupervisedWorker
    if isolated:
        worker = IsolatedWorker(_config(), _command(tmp_path))
        worker.begin()
    else:
        worker = SupervisedWorker(_config(), MODEL, command=_command(tmp_path))
    assert "fake" == worker.engine_name
    worker.close()
    with pytest.raises(JobError, match="stopped before all pictures were classified"):
        _ = worker.engine_name
    with pytest.raises(JobError, match="stopped before all pictures were classified"):
        _classify(worker)


def test_closing_while_a_picture_hangs_alone_starts_no_process(tmp_path: Path) -> None:
    """The caller gets an error, and no row that blames the picture for the end of its process."""
    patient = replace(_config(), options=ClassifyOptions())
    isolated = IsolatedWorker(patient, _command(tmp_path))
    assert "fake" == isolated.engine_name
    closing = threading.Timer(1, isolated.close)
    closing.start()
    with pytest.raises(JobError, match="stopped before all pictures were classified"):
        isolated.classify_one(ImageRef("-"), MODEL, BLUE)
    closing.join()


def _classify(worker: IsolatedWorker | SupervisedWorker) -> None:
    if isinstance(worker, IsolatedWorker):
        worker.classify_one(ImageRef("-"), MODEL, RED)
    else:
        worker.classify([ImageRef("-")], [RED])


def test_a_stop_does_not_wait_for_a_hang(tmp_path: Path) -> None:
    """Once the counters are out of time a chunk fails, whatever its worker does."""
    refs = _put(tmp_path / "in", [BLUE] * 4)
    counters = ProgressCounters()
    with _worker(tmp_path, counters) as worker:
        _ = worker.engine_name
        counters.request_stop(0.2)
        with pytest.raises(JobError, match="stopped before all pictures were classified"):
            worker.classify(refs)


def test_a_worker_that_cannot_start_is_an_error(tmp_path: Path) -> None:
    """Every caller gets a `JobError` if the program ends before it is ready."""
    worker = SupervisedWorker(_config("absent"), MODEL, command=_command(tmp_path))
    for _ in range(2):
        with pytest.raises(JobError, match="ended before it was ready"):
            _ = worker.engine_name
    worker.close()


def test_a_wrong_bundle_is_the_users_error(tmp_path: Path) -> None:
    """An error of the bundle in the worker process is raised as the same class here."""
    bundle = fake_bundle(tmp_path / "bundle")
    good = WorkerConfig(str(bundle.path), bundle.digest, "fake", QUICK, 1)
    worker = SupervisedWorker(good, MODEL)
    assert "fake" == worker.engine_name
    worker.close()
    other = WorkerConfig(str(bundle.path), "0" * 64, "fake", QUICK, 1)
    worker = SupervisedWorker(other, MODEL)
    with pytest.raises(BundleError, match="was expected"):
        _ = worker.engine_name
    worker.close()


def test_a_worker_process_ends_with_its_parent(tmp_path: Path) -> None:
    """The process ends when its stdin is closed, which the death of its parent does too."""

    class EndListener:
        def on_row(self, *_: object) -> None:
            """Do nothing."""

        def on_failed(self, *_: object) -> None:
            """Do nothing."""

        def on_end(self, _: WorkerProcess, status: int) -> None:
            """Store the status."""
            statuses.append(status)
            ended.set()

    statuses: list[int] = []
    ended = threading.Event()
    process = WorkerProcess(_config(), EndListener(), _command(tmp_path))
    process.wait_ready()
    process.close()
    assert ended.wait(10)
    assert [0] == statuses
