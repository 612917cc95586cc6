"""The transforms over their plain twins, without a runner."""

import pickle
import time

import pytest

from seefood.errors import JobError
from seefood.imaging.decode import Pixels
from seefood.results.files import read_rows
from seefood.results.totals import Totals, add_totals
from seefood.storage.uris import parse_location
from seefood.workers.chunks import ChunkSize, Target
from seefood.workers.threaded import Worker
from seefood_pipeline.listing import Listing
from seefood_pipeline.transforms import LISTED, ClassifyChunks, ListChunks
from tests.fakes import DIGEST, fake_worker, put_all
from tests.pictures import jpeg

pytestmark = pytest.mark.beam


def slow(_: Pixels) -> None:
    """Take a while over each picture."""
    time.sleep(0.005)


def open_worker() -> Worker:
    """Open a worker as a runner would."""
    return fake_worker()


def open_slow_worker() -> Worker:
    """Open a worker that keeps several chunks in flight."""
    return fake_worker(slow)


def test_list_chunks_tags_its_counts(memory: str) -> None:
    """Chunks go on, counts go to their own output."""
    put_all(memory, {f"{number}.jpg": b"x" for number in range(7)})
    listing = Listing((memory,), f"{memory}-out", (), ChunkSize(3), None, "transforms")
    items = list(ListChunks().process(listing))
    assert [3, 3, 1] == [len(item) for item in items[:-1]]
    assert (LISTED, 7) == (items[-1].tag, items[-1].value.listed)


@pytest.mark.parametrize("opener", [open_worker, open_slow_worker])
def test_classify_chunks_gives_the_totals_of_each(memory: str, opener: object) -> None:
    """Every chunk's totals come out once, however many were in flight, after its rows are there."""
    refs = put_all(memory, {f"{number:02d}.jpg": jpeg() for number in range(20)})
    target = Target(parse_location(f"{memory}-out"), DIGEST)
    transform = pickle.loads(pickle.dumps(ClassifyChunks(opener, target)))  # noqa: S301 (ours)
    transform.setup()
    totals: list[Totals] = []
    for at in range(0, 20, 2):
        totals += transform.process(refs[at : at + 2])
        assert sum(part.rows for part in totals) <= len(list(read_rows(target.output)))
    totals += [item.value for item in transform.finish_bundle()]
    transform.teardown()
    assert [2] * 10 == [part.rows for part in totals]
    assert 20 == add_totals(totals).rows == len(list(read_rows(target.output)))
    assert [] == list(transform.finish_bundle())


def test_a_failing_chunk_fails_the_bundle(memory: str) -> None:
    """An output that cannot be written is the job's error, not a lost chunk."""
    refs = put_all(memory, {"a.jpg": jpeg()})
    transform = ClassifyChunks(open_worker, Target(parse_location("/dev/null/out"), DIGEST))
    transform.setup()
    assert [] == list(transform.process(refs))
    with pytest.raises(JobError, match="cannot write /dev/null/out"):
        list(transform.finish_bundle())
    transform.teardown()
