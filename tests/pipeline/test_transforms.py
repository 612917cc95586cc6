"""The steps of the command's job call plain functions; no runner is needed."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from seefood.errors import JobError
from seefood.runs.run_spec import ChunkSize, RunOptions, RunSpec
from seefood.sources.registry import parse_source
from seefood.storage.uris import parse_location
from seefood_pipeline.run_control import RunControl
from seefood_pipeline.run_steps import ClassifyChunksDoFn
from seefood_pipeline.worker_factory import WorkerKey
from tests.fakes import DIGEST, LocalClassifier, fake_worker, put_all
from tests.pictures import jpeg
from tests.pipeline_steps import list_chunks

pytestmark = pytest.mark.beam


@contextmanager
def open_worker(key: WorkerKey) -> Iterator[LocalClassifier]:
    """Lend a worker as a runner's process does."""
    del key
    yield fake_worker()


def test_a_run_is_listed_in_chunks_with_counts(memory: str) -> None:
    """Chunks come while listing continues, counts at its end."""
    put_all(memory, {f"{number}.jpg": b"x" for number in range(7)})
    run = RunSpec(
        parse_location(f"{memory}-out"),
        DIGEST,
        "transforms",
        sources=(parse_source(memory),),
        options=RunOptions(chunk=ChunkSize(3)),
    )
    items = list(list_chunks(RunControl(run)))
    assert [3, 3, 1] == [len(item) for item in items[:-1] if isinstance(item, list)]
    assert 7 == getattr(items[-1], "listed", None)


def test_a_chunk_becomes_its_rows(memory: str) -> None:
    """Each chunk's rows are yielded once, in order; after the bundle none is in flight."""
    refs = put_all(memory, {f"{number:02d}.jpg": jpeg() for number in range(20)})
    run = RunSpec(parse_location(f"{memory}-out"), DIGEST, "transforms")
    made = ClassifyChunksDoFn(RunControl(run), open_worker)
    step = pickle.loads(pickle.dumps(made))  # noqa: S301 (ours)
    step.setup()
    step.start_bundle()
    chunks = []
    for at in range(0, 20, 2):
        chunks += step.process(refs[at : at + 2])
        assert at // 2 - 1 <= len(chunks)
    chunks += [item.value for item in step.finish_bundle()]
    step.teardown()
    assert [2] * 10 == [len(chunk) for chunk in chunks]
    assert [ref.uri for ref in refs] == [row.uri for chunk in chunks for row in chunk]
    assert [] == list(step.finish_bundle())


def test_a_worker_that_gives_up_fails_the_bundle(memory: str) -> None:
    """A chunk that cannot be finished is an error of the job."""
    refs = put_all(memory, {"a.jpg": jpeg()})

    def fail(_: object) -> None:
        raise KeyboardInterrupt

    @contextmanager
    def failing(key: WorkerKey) -> Iterator[LocalClassifier]:
        del key
        yield fake_worker(fail)

    run = RunSpec(parse_location(f"{memory}-out"), DIGEST, "x")
    step = ClassifyChunksDoFn(RunControl(run), failing)
    step.setup()
    step.start_bundle()
    assert [] == list(step.process(refs))
    with pytest.raises(JobError, match="broke off: KeyboardInterrupt"):
        list(step.finish_bundle())
    step.teardown()
