"""The transforms call their plain functions; no runner is needed."""

import pickle

import pytest

from seefood.errors import JobError
from seefood.results.files import read_rows
from seefood.results.totals import Totals, add_totals
from seefood.runs.run_spec import ChunkSize, RunOptions, RunSpec
from seefood.sources.registry import parse_source
from seefood.storage.uris import parse_location
from seefood_pipeline.listing import Listing
from seefood_pipeline.transforms import LISTED, ClassifyChunks, ListChunks
from tests.fakes import DIGEST, LocalClassifier, fake_worker, put_all
from tests.pictures import jpeg

pytestmark = pytest.mark.beam


def open_worker(run: RunSpec) -> LocalClassifier:
    """Open a worker as a runner does."""
    del run
    return fake_worker()


def test_list_chunks_tags_its_counts(memory: str) -> None:
    """Chunks are the main output, counts have their own."""
    put_all(memory, {f"{number}.jpg": b"x" for number in range(7)})
    run = RunSpec(
        parse_location(f"{memory}-out"),
        DIGEST,
        "transforms",
        sources=(parse_source(memory),),
        options=RunOptions(chunk=ChunkSize(3)),
    )
    items = list(ListChunks().process(Listing(run)))
    assert [3, 3, 1] == [len(item) for item in items[:-1]]
    assert (LISTED, 7) == (items[-1].tag, items[-1].value.listed)


def test_classify_chunks_gives_the_totals_of_each(memory: str) -> None:
    """Every chunk's totals are yielded once, after its rows are written."""
    refs = put_all(memory, {f"{number:02d}.jpg": jpeg() for number in range(20)})
    run = RunSpec(parse_location(f"{memory}-out"), DIGEST, "transforms")
    transform = pickle.loads(pickle.dumps(ClassifyChunks(run, open_worker)))  # noqa: S301 (ours)
    transform.setup()
    totals: list[Totals] = []
    for at in range(0, 20, 2):
        totals += transform.process(refs[at : at + 2])
        assert sum(part.rows for part in totals) <= len(list(read_rows(run.output)))
    totals += [item.value for item in transform.finish_bundle()]
    transform.teardown()
    assert [2] * 10 == [part.rows for part in totals]
    assert 20 == add_totals(totals).rows == len(list(read_rows(run.output)))
    assert [] == list(transform.finish_bundle())


def test_a_failing_chunk_fails_the_bundle(memory: str) -> None:
    """An output that cannot be written is an error of the job."""
    refs = put_all(memory, {"a.jpg": jpeg()})
    transform = ClassifyChunks(RunSpec(parse_location("/dev/null/out"), DIGEST, "x"), open_worker)
    transform.setup()
    assert [] == list(transform.process(refs))
    with pytest.raises(JobError, match="cannot write /dev/null/out"):
        list(transform.finish_bundle())
    transform.teardown()
