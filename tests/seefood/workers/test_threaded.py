"""A worker classifies many pictures at once; each row is at the index of its picture."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from seefood.classification import ClassifyOptions
from seefood.errors import JobError
from seefood.imaging.decode import Limits, Pixels
from seefood.records import ImageRef
from seefood.storage import open_store
from tests.conftest import Bucket
from tests.fakes import fake_worker, put_all, uris
from tests.pictures import jpeg

RED, GREEN = jpeg((250, 5, 5)), jpeg((5, 250, 5))


def test_rows_are_in_order(memory: str) -> None:
    """Rows are in the order of their references, whichever thread finishes first."""
    refs = put_all(memory, {f"{n:03d}": RED if n % 3 else GREEN for n in range(120)})
    first_batch, later = threading.Lock(), threading.Semaphore(0)

    def before(images: Pixels) -> None:
        """Hold back the first picture until ten others are done."""
        del images
        if first_batch.acquire(blocking=False):
            for _ in range(10):
                assert later.acquire(timeout=10)
        else:
            later.release()

    rows = fake_worker(before, threads=4).classify(refs)
    assert [ref.uri for ref in refs] == uris(rows)
    assert ["red" if n % 3 else "green" for n in range(120)] == [row.label for row in rows]


def test_no_references_give_no_rows() -> None:
    """An empty chunk has no rows and does not block."""
    assert [] == fake_worker().classify([])


def test_every_failure_is_a_row(memory: str, tmp_path: Path) -> None:
    """Missing, too large, empty and broken pictures have a code; the others have their labels."""
    (tmp_path / "gone.jpg").write_bytes(RED)
    gone = list(open_store("file://").list(str(tmp_path / "gone.jpg")))
    (tmp_path / "gone.jpg").unlink()
    refs = put_all(memory, {"1": RED, "2": b"", "3": b"hello", "4": RED * 200})
    refs = [*refs, *gone, ImageRef(f"{memory}/never", "e"), refs[0]]
    options = ClassifyOptions(limits=Limits(max_bytes=20_000))
    rows = fake_worker(options=options).classify(refs)
    assert [None, "empty", "not_an_image", "too_large", "not_found", "not_found", None] == [
        row.error_code for row in rows
    ]


def test_chunks_interleave(memory: str) -> None:
    """Several threads may classify chunks at once; each gets its own rows."""
    refs = put_all(memory, {f"{n:03d}": RED for n in range(90)})
    worker = fake_worker(threads=2)
    chunks = [refs[at : at + 9] for at in range(0, 90, 9)]
    with ThreadPoolExecutor(5) as pool:
        results = list(pool.map(worker.classify, chunks))
    assert [[ref.uri for ref in chunk] for chunk in chunks] == [uris(rows) for rows in results]


def test_a_batch_contains_what_is_ready(memory: str) -> None:
    """An engine gets batches of ready pictures, no larger than its batch size."""
    sizes: list[int] = []
    refs = put_all(memory, {f"{n:03d}": RED for n in range(60)})
    worker = fake_worker(lambda images: sizes.append(len(images)), batch_size=16, threads=1)
    assert 60 == len(worker.classify(refs))
    assert 60 == sum(sizes)
    assert 1 < max(sizes) <= 16


def test_batches_are_limited_by_bytes(memory: str) -> None:
    """A batch of large pictures has fewer of them."""
    sizes: list[int] = []
    refs = put_all(memory, {f"{n}": RED + bytes(3 * 1024 * 1024) for n in range(9)})
    worker = fake_worker(lambda images: sizes.append(len(images)), batch_size=8, threads=1)
    assert 9 == len(worker.classify(refs))
    assert max(sizes) <= 2


def test_an_engine_error_is_retried_one_by_one(memory: str) -> None:
    """A picture on which the engine fails does not fail the others of its batch."""
    refs = put_all(memory, {f"{n:02d}": GREEN if n == 7 else RED for n in range(20)})

    def before(images: Pixels) -> None:
        if (images[..., 1].mean(axis=(1, 2)) > 100).any():
            raise RuntimeError("green")

    rows = fake_worker(before, batch_size=8, threads=2).classify(refs)
    assert [7] == [at for at, row in enumerate(rows) if row.error_code == "engine_error"]
    assert 19 == [row.label for row in rows].count("red")


def test_a_crash_in_a_compute_thread_reaches_the_caller(memory: str) -> None:
    """An exit in the engine fails the chunk, not the thread: the next chunk is classified."""
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
    assert 30 == len(worker.classify(refs))


def test_a_broken_reference_ends_its_chunk(memory: str) -> None:
    """A reference of an unknown store is an error; the worker stays usable."""
    refs = put_all(memory, {"1": RED})
    worker = fake_worker()
    with pytest.raises(Exception, match="has the unknown scheme"):
        worker.classify([*refs, ImageRef("ftp://b/x", "e")])
    assert 1 == len(worker.classify(refs))


def test_objects_of_a_remote_store_have_rows(s3: Bucket) -> None:
    """Objects are fetched ahead; one that is deleted or replaced since the listing has a code."""
    for number in range(12):
        s3.put(f"{number:02d}.jpg", RED)
    refs = list(open_store(s3.uri).list(""))
    worker = fake_worker(threads=1)
    rows = worker.classify(refs)
    assert [ref.uri for ref in refs] == uris(rows)
    s3.client.delete_object(Bucket=s3.name, Key="03.jpg")
    s3.put("04.jpg", GREEN)
    again = worker.classify(refs)
    assert {3: "not_found", 4: "changed"} == {
        at: row.error_code for at, row in enumerate(again) if row.error_code
    }


def test_objects_larger_than_the_read_ahead_are_fetched_one_by_one(s3: Bucket) -> None:
    """A chunk larger than the read-ahead's limit is classified too."""
    for number in range(8):
        s3.put(f"{number}.jpg", RED)
    refs = [ImageRef(ref.uri, ref.etag, 99 * 1024 * 1024) for ref in open_store(s3.uri).list("")]
    rows = fake_worker().classify(refs)
    assert ["red"] * 8 == [row.label for row in rows]


def test_bytes_of_failed_pictures_are_released(s3: Bucket) -> None:
    """After errors of every kind the whole budget is free again."""
    for number in range(6):
        s3.put(f"{number}.jpg", RED if number % 2 else b"broken")
    refs = list(open_store(s3.uri).list(""))
    failing = threading.Event()
    failing.set()

    def before(_: Pixels) -> None:
        if failing.is_set():
            raise SystemExit

    worker = fake_worker(before)
    for _ in range(5):
        with pytest.raises(JobError, match="broke off: SystemExit"):
            worker.classify([ImageRef(r.uri, r.etag, 90 * 1024 * 1024) for r in refs])
    failing.clear()
    assert 6 == len(worker.classify([ImageRef(r.uri, r.etag, 200 * 1024 * 1024) for r in refs]))
