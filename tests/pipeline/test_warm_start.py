import threading
from collections.abc import Iterator, Sequence

import pytest

from seefood.errors import JobError
from seefood.records import ImageRef, Row
from seefood.results.totals import Totals
from seefood_pipeline.warm_start import Listed, WarmStart, warm_start, warm_start_of

CHUNKS = [
    [ImageRef(f"/pictures/{chunk}-{at}.jpg", "tag", 1) for at in range(3)] for chunk in "abcdef"
]


class Counting:
    """A worker that remembers what it was asked, and waits where it is told to."""

    engine_name = "counting"

    def __init__(self) -> None:
        self.asked: list[tuple[ImageRef, ...]] = []
        self.gate = threading.Event()

    def classify(self, refs: Sequence[ImageRef]) -> list[Row]:
        """See `ChunkClassifier`."""
        self.asked.append(tuple(refs))
        assert self.gate.wait(10)
        return []


def listed(items: Sequence[Listed | Exception], read: list[int]) -> Iterator[Listed]:
    """A listing that tells how far it was read."""
    for item in items:
        read.append(1)
        if isinstance(item, Exception):
            raise item
        yield item


def test_every_chunk_is_listed_once_and_classified_once() -> None:
    """Who takes over gets the whole listing in order, and the rows of what was begun."""
    worker, read = Counting(), list[int]()
    totals = Totals(listed=18)
    head = WarmStart(listed([*CHUNKS, totals], read), worker)
    items = head.items()
    first = next(items)
    worker.gate.set()
    found = [first, *items]
    assert [*CHUNKS, totals] == found
    assert 7 == len(read)
    for chunk in CHUNKS:
        head.classify(chunk)
    assert sorted(map(tuple, CHUNKS), key=str) == sorted(worker.asked, key=str)
    head.close()


def test_only_a_few_chunks_are_begun() -> None:
    """What is held in memory does not depend on how long Beam takes."""
    worker, read = Counting(), list[int]()
    head = WarmStart(listed(CHUNKS, read), worker)
    for _ in range(100):
        if len(worker.asked) == 3:
            break
        threading.Event().wait(0.02)
    threading.Event().wait(0.1)
    assert 3 == len(worker.asked) == len(read)
    worker.gate.set()
    head.close()


def test_what_listing_raises_reaches_the_job() -> None:
    """A source that breaks off does so where the pipeline lists, after what was listed before."""
    worker, read = Counting(), list[int]()
    worker.gate.set()
    head = WarmStart(listed([CHUNKS[0], JobError("the store is gone; run it again")], read), worker)
    threading.Event().wait(0.1)
    items = head.items()
    assert CHUNKS[0] == next(items)
    with pytest.raises(JobError, match="the store is gone"):
        next(items)
    head.close()


def test_a_run_finds_its_own_head_start_while_it_lasts() -> None:
    """By the run's name, in this process; a run without one finds none."""
    worker = Counting()
    worker.gate.set()
    with warm_start("mine", lambda: WarmStart(iter(()), worker)):
        assert warm_start_of("mine") is not None
        assert warm_start_of("other") is None
    assert warm_start_of("mine") is None
    with warm_start("none", lambda: None):
        assert warm_start_of("none") is None
