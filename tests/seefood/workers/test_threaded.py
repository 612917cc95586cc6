"""One worker: many pictures at once, none lost, none in another's place."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from seefood.classify import ClassifyOptions
from seefood.engines.fake import FakeEngine
from seefood.engines.threads import available_cores, compute_threads
from seefood.errors import JobError
from seefood.imaging.decode import Limits, Pixels
from seefood.imaging.memory_budget import MemoryBudget
from seefood.records import ImageRef
from seefood.runs.progress import ProgressCounters
from seefood.storage import open_store
from seefood.workers.threaded import Worker
from tests.conftest import Bucket
from tests.fakes import MODEL, fake_worker, put_all, uris
from tests.pictures import jpeg

RED, GREEN = jpeg((250, 5, 5)), jpeg((5, 250, 5))


def test_rows_are_in_order(memory: str) -> None:
    """Whatever thread finishes first, rows stand where their references stood."""
    refs = put_all(memory, {f"{n:03d}": RED if n % 3 else GREEN for n in range(120)})

    def before(images: Pixels) -> None:
        if images[..., 1].mean() > 100:
            time.sleep(0.002)

    rows = fake_worker(before, threads=4).classify(refs)
    assert [ref.uri for ref in refs] == uris(rows)
    assert ["red" if n % 3 else "green" for n in range(120)] == [row.label for row in rows]


def test_no_references_give_no_rows() -> None:
    """An empty chunk is done at once."""
    assert [] == fake_worker().classify([])


def test_whatever_fails_is_a_row(memory: str, tmp_path: Path) -> None:
    """Gone, too large, empty, broken: each its code, and the rest their labels."""
    (tmp_path / "gone.jpg").write_bytes(RED)
    gone = list(open_store("file://").list(str(tmp_path / "gone.jpg")))
    (tmp_path / "gone.jpg").unlink()
    refs = put_all(memory, {"1": RED, "2": b"", "3": b"hello", "4": RED * 200})
    refs = [*refs, *gone, ImageRef(f"{memory}/never", "e"), refs[0]]
    settings = ClassifyOptions(limits=Limits(max_bytes=20_000))
    rows = fake_worker(settings=settings).classify(refs)
    assert [None, "empty", "not_an_image", "too_large", "not_found", "not_found", None] == [
        row.error_code for row in rows
    ]


def test_chunks_interleave(memory: str) -> None:
    """Several threads may hand in chunks; each gets its own rows."""
    refs = put_all(memory, {f"{n:03d}": RED for n in range(90)})
    worker = fake_worker(threads=2)
    chunks = [refs[at : at + 9] for at in range(0, 90, 9)]
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(worker.classify, chunks))
    assert [[ref.uri for ref in chunk] for chunk in chunks] == [uris(rows) for rows in answers]


def test_a_batch_holds_what_is_ready(memory: str) -> None:
    """An engine that likes batches gets them, never larger than it likes, and nothing waits."""
    sizes: list[int] = []
    refs = put_all(memory, {f"{n:03d}": RED for n in range(60)})
    worker = fake_worker(lambda images: sizes.append(len(images)), batch_size=16, threads=1)
    assert 60 == len(worker.classify(refs))
    assert 60 == sum(sizes)
    assert 1 < max(sizes) <= 16


def test_large_pictures_come_one_by_one(memory: str) -> None:
    """What a thread holds at once is bounded by bytes as well."""
    sizes: list[int] = []
    refs = put_all(memory, {f"{n}": RED + bytes(3 * 1024 * 1024) for n in range(9)})
    worker = fake_worker(lambda images: sizes.append(len(images)), batch_size=8, threads=1)
    assert 9 == len(worker.classify(refs))
    assert max(sizes) <= 2


def test_an_engine_error_is_retried_one_by_one(memory: str) -> None:
    """One picture that the engine cannot stand costs the batch it was in nothing."""
    refs = put_all(memory, {f"{n:02d}": GREEN if n == 7 else RED for n in range(20)})

    def before(images: Pixels) -> None:
        if (images[..., 1].mean(axis=(1, 2)) > 100).any():
            raise RuntimeError("green")

    rows = fake_worker(before, batch_size=8, threads=2).classify(refs)
    assert [7] == [at for at, row in enumerate(rows) if row.error_code == "engine_error"]
    assert 19 == [row.label for row in rows].count("red")


def test_a_crash_in_a_compute_thread_reaches_the_caller(memory: str) -> None:
    """What is no error of a picture ends the chunk, not the thread: the next one is served."""
    refs = put_all(memory, {f"{n:02d}": RED for n in range(30)})
    failing = threading.Event()
    failing.set()

    def before(_: Pixels) -> None:
        if failing.is_set():
            raise SystemExit("the engine took the interpreter down")

    worker = fake_worker(before, threads=3)
    for _ in range(20):  # all threads fail on one chunk at once
        with pytest.raises(JobError, match="broke off: SystemExit"):
            worker.classify(refs)
    failing.clear()
    deadline = time.monotonic() + 10
    rows = worker.classify(refs)
    assert time.monotonic() < deadline
    assert 30 == len(rows)


def test_a_broken_reference_ends_its_chunk(memory: str) -> None:
    """A reference that names no store is an error of the job, and strands nobody."""
    refs = put_all(memory, {"1": RED})
    worker = fake_worker()
    with pytest.raises(Exception, match="no store here speaks"):
        worker.classify([*refs, ImageRef("ftp://b/x", "e")])
    assert 1 == len(worker.classify(refs))


def test_a_slow_object_delays_nobody(s3: Bucket) -> None:
    """Objects of a remote store are taken up in the order of arrival."""
    for number in range(12):
        s3.put(f"{number:02d}.jpg", RED)
    refs = list(open_store(s3.uri).list(""))
    meter = ProgressCounters()
    worker = fake_worker(meter=meter, threads=1)
    rows = worker.classify(refs)
    assert [ref.uri for ref in refs] == uris(rows)
    assert (12, 0) == (meter.rows, meter.failed)
    s3.client.delete_object(Bucket=s3.name, Key="03.jpg")
    s3.put("04.jpg", GREEN)
    again = worker.classify(refs)
    assert {3: "not_found", 4: "changed"} == {
        at: row.error_code for at, row in enumerate(again) if row.error_code
    }
    assert (24, 2) == (meter.rows, meter.failed)


def test_more_bytes_than_may_lie_ready_pass_one_after_the_other(s3: Bucket) -> None:
    """A chunk larger than the read-ahead's bytes is classified all the same."""
    for number in range(8):
        s3.put(f"{number}.jpg", RED)
    refs = [ImageRef(ref.uri, ref.etag, 99 * 1024 * 1024) for ref in open_store(s3.uri).list("")]
    rows = fake_worker().classify(refs)
    assert ["red"] * 8 == [row.label for row in rows]


def test_the_budget_never_overdraws() -> None:
    """Never more bytes are out than the limit; one larger object passes alone."""
    budget = MemoryBudget(100)
    out, most, lock = 0, 0, threading.Lock()

    def carry(size: int) -> None:
        nonlocal out, most
        cost = budget.take(size)
        with lock:
            out += cost
            most = max(most, out)
        time.sleep(0.0005)
        with lock:
            out -= cost
        budget.give(cost)

    sizes = np.random.default_rng(1).integers(0, 130, 200).tolist()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(carry, sizes))
    assert 0 == out
    assert 60 < most <= 100
    assert 100 == budget.take(100_000)


def test_bytes_of_failed_pictures_are_given_back(s3: Bucket) -> None:
    """After errors of every kind the whole budget is free again."""
    for number in range(6):
        s3.put(f"{number}.jpg", RED if number % 2 else b"broken")
    refs = list(open_store(s3.uri).list(""))
    failing = threading.Event()
    failing.set()

    def before(_: Pixels) -> None:
        if failing.is_set():
            raise SystemExit

    worker = Worker(FakeEngine(before=before), MODEL, threads=2)
    for _ in range(5):
        with pytest.raises(JobError, match="broke off: SystemExit"):
            worker.classify([ImageRef(r.uri, r.etag, 90 * 1024 * 1024) for r in refs])
    failing.clear()
    assert 6 == len(worker.classify([ImageRef(r.uri, r.etag, 200 * 1024 * 1024) for r in refs]))


def test_a_stop_gives_up_what_takes_too_long(memory: str) -> None:
    """Once the time for stopping is over, a chunk in flight ends with the sentence for it."""
    refs = put_all(memory, {f"{n:03d}": RED for n in range(400)})
    meter = ProgressCounters()
    worker = fake_worker(lambda _: time.sleep(0.05), meter=meter)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(worker.classify, refs)
        time.sleep(0.1)
        meter.request_stop(0.2)
        begun = time.monotonic()
        with pytest.raises(JobError, match="stopped before all pictures were classified"):
            running.result()
    assert time.monotonic() - begun < 5.0


def test_cores_are_those_this_process_may_use() -> None:
    """A container with one core gets one thread."""
    assert 1 <= available_cores()
    assert available_cores() == compute_threads("litert") == compute_threads("auto")
    assert 2 * available_cores() == compute_threads("openvino-bf16")
