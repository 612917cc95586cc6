"""Chunks: the unit of work, of writing, and of what a crash can lose."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from seefood.classification import failed_row
from seefood.errors import ErrorCode, JobError, PictureError
from seefood.imaging.decode import Pixels
from seefood.records import ImageRef
from seefood.results.files import list_parts, read_rows
from seefood.runs.run_spec import ChunkSize
from seefood.storage.uris import parse_location
from seefood.workers.chunks import FIRST_CHUNK, checked_rows, chunk_refs, write_chunk
from tests.fakes import fake_worker, put_all, uris
from tests.pictures import jpeg


def _refs(count: int, size_bytes: int = 1) -> list[ImageRef]:
    return [ImageRef(f"s3://b/{number}", "e", size_bytes) for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 576, 577, 2000])
def test_every_reference_is_in_one_chunk(count: int) -> None:
    """Chunks have all references in order; the first is small, none is larger than the limit."""
    refs = _refs(count)
    chunks = list(chunk_refs(refs, ChunkSize(512)))
    assert refs == [ref for chunk in chunks for ref in chunk]
    assert [min(count, FIRST_CHUNK)] * bool(count) == [len(chunk) for chunk in chunks[:1]]
    assert all(1 <= len(chunk) <= 512 for chunk in chunks)


def test_a_chunk_is_limited_by_bytes() -> None:
    """A chunk of large pictures has fewer of them."""
    sizes = [len(chunk) for chunk in chunk_refs(_refs(10, 40), ChunkSize(100, 100))]
    assert [3, 3, 3, 1] == sizes
    assert [1] * 4 == [len(chunk) for chunk in chunk_refs(_refs(4), ChunkSize(1))]


def test_chunks_come_before_listing_ends() -> None:
    """The first chunk comes once its references are listed, however long the listing is."""
    taken = 0

    def endless() -> Iterator[ImageRef]:
        nonlocal taken
        while True:
            taken += 1
            yield ImageRef(f"s3://b/{taken}", "e")

    first = next(chunk_refs(endless(), ChunkSize()))
    assert FIRST_CHUNK == len(first) == taken


def test_a_retry_overwrites_itself(memory: str) -> None:
    """A chunk that is classified twice leaves one object with one row for each picture."""
    refs = put_all(f"{memory}-in", {f"{n}.jpg": jpeg() for n in range(5)})
    output = parse_location(f"{memory}/out")
    worker = fake_worker()
    totals = [write_chunk(worker.classify(refs), output, "parquet") for _ in range(2)]
    assert (5, 5) == (totals[0].rows, totals[1].rows)
    assert 1 == len(list_parts(output))
    assert [ref.uri for ref in refs] == uris(list(read_rows(output)))


def test_a_transient_failure_keeps_the_row_that_is_there(memory: str) -> None:
    """As when `--features` or `--force` reads pictures again while the store is down."""
    refs = put_all(f"{memory}-in", {f"{n}.jpg": jpeg() for n in range(3)})
    output = parse_location(f"{memory}/out")
    rows = fake_worker().classify(refs)
    lost = PictureError(ErrorCode.STORE_ERROR, "no answer")
    broken = PictureError(ErrorCode.CORRUPT, "broken")
    model = fake_worker().model
    failed = [failed_row(refs[0], lost, "fake", model), rows[1]]
    failed.append(failed_row(refs[2], broken, "fake", model))
    assert 1 == write_chunk([failed[0], *rows[1:]], output, "parquet").failed  # none is there
    write_chunk(rows, output, "parquet")
    assert 2 == write_chunk(failed, output, "parquet").failed
    assert [rows[0].label, rows[1].label, None] == [row.label for row in read_rows(output)]


def test_a_chunk_has_a_row_for_each_picture(memory: str) -> None:
    """A chunk that lacks a row is an error, so that nothing of it is written."""
    refs = put_all(f"{memory}-in", {f"{n}.jpg": jpeg() for n in range(5)})
    rows = fake_worker().classify(refs)
    assert rows == checked_rows(refs, rows)
    with pytest.raises(JobError, match="a chunk of 5 pictures gave 4 rows"):
        checked_rows(refs, rows[1:])


def test_a_chunk_whose_worker_breaks_off_is_an_error(memory: str) -> None:
    """It has no rows."""
    refs = put_all(f"{memory}-in", {f"{n}.jpg": jpeg() for n in range(5)})
    calls = threading.Semaphore(3)

    def before(_: Pixels) -> None:
        if not calls.acquire(blocking=False):
            raise KeyboardInterrupt

    with pytest.raises(JobError, match="broke off: KeyboardInterrupt"):
        fake_worker(before).classify(refs)


def test_an_output_that_cannot_be_written_is_a_job_error(memory: str, tmp_path: Path) -> None:
    """A chunk whose rows cannot be written is an error of the job."""
    refs = put_all(f"{memory}-in", {"a.jpg": jpeg()})
    file = tmp_path / "file"
    file.write_bytes(b"")
    with pytest.raises(JobError, match="cannot write"):
        write_chunk(fake_worker().classify(refs), parse_location(str(file)), "parquet")
