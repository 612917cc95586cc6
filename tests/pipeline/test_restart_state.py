"""What a run on a cluster has written decides what a repeated listing yields."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import uuid4

import pytest

from seefood.errors import JobError
from seefood.records import ImageRef
from seefood.results.files import encode_rows, part_location
from seefood.results.totals import Totals, add_totals
from seefood.runs.run_files import delete_coordination_files
from seefood.runs.run_spec import ChunkSize, RunOptions, RunSpec
from seefood.sources.registry import parse_source
from seefood.storage import open_store, write
from seefood.storage.uris import parse_location
from seefood_pipeline.coordination import StopFlag, read_listing_totals, write_stop_flag
from seefood_pipeline.restart_state import (
    count_parts,
    existing_parts,
    new_parts,
    read_before,
    read_earlier,
    write_before,
)
from seefood_pipeline.run_control import RunControl
from seefood_pipeline.run_steps import ClassifyChunksDoFn
from seefood_pipeline.worker_factory import WorkerKey
from tests.fakes import DIGEST, LocalClassifier, fake_worker, make_row, put_all
from tests.pictures import jpeg
from tests.pipeline_steps import list_chunks

pytestmark = pytest.mark.beam
_COUNT = 60


@pytest.fixture
def refs(memory: str) -> list[ImageRef]:
    """Some objects in a store."""
    put_all(memory, {f"in/{number:03d}.jpg": b"x" for number in range(_COUNT)})
    return list(open_store(memory).list("in/"))


@pytest.fixture
def listing(memory: str) -> RunControl:
    """A remote listing of them, ten in a chunk, over an empty output."""
    run = RunSpec(
        output=parse_location(f"{memory}/out"),
        digest=DIGEST,
        run_id=f"test-{uuid4().hex}",
        sources=(parse_source(f"{memory}/in/"),),
        options=RunOptions(chunk=ChunkSize(10)),
    )
    write_before(existing_parts(run), run)
    return RunControl(run, remote=True)


def _write(listing: RunControl, refs: list[ImageRef]) -> None:
    output = listing.run.output
    rows = [make_row(ref.uri, etag=ref.etag) for ref in refs]
    write(part_location(output, DIGEST, refs, "parquet"), encode_rows(rows, "parquet"))


def _list(listing: RunControl) -> tuple[list[ImageRef], Totals]:
    *chunks, totals = list_chunks(listing)
    assert isinstance(totals, Totals)
    return [ref for chunk in chunks if isinstance(chunk, list) for ref in chunk], totals


def test_a_picture_in_two_objects_counts_once(listing: RunControl, refs: list[ImageRef]) -> None:
    """Two attempts made different chunks of the same pictures, one on a machine that was cut off.

    There is one object more than counted, so that the launcher removes the second rows.
    """
    for pictures in (refs[:10], refs[5:20], refs[2:9]):
        _write(listing, pictures)
    before = read_before(listing.run)
    totals = read_earlier(listing.run, before).totals
    assert 20 == totals.rows
    assert 3 == len(new_parts(listing.run, before)) > totals.parts


def test_a_repeated_listing_leaves_out_what_was_written(
    listing: RunControl, refs: list[ImageRef]
) -> None:
    """The counts of both attempts together are those of one."""
    _write(listing, refs[:25])
    new, totals = _list(listing)
    assert refs[25:] == new
    assert (_COUNT, 0, 25, 1) == (totals.listed, totals.skipped, totals.rows, totals.parts)
    assert _COUNT == (read_listing_totals(listing.run) or Totals()).listed


def test_a_vanished_picture_that_has_a_row_counts_as_listed(
    listing: RunControl, refs: list[ImageRef]
) -> None:
    """Otherwise there would be more rows than listed pictures."""
    _write(listing, refs[:5])
    location = parse_location(refs[0].uri)
    open_store(location.root).delete(location.key)
    new, totals = _list(listing)
    assert totals.listed - totals.skipped == totals.rows + len(new) == _COUNT


def test_rows_of_earlier_runs_are_skipped_and_not_counted(
    listing: RunControl, refs: list[ImageRef]
) -> None:
    """Rows from before the run are in the ledger; later ones are the run's own."""
    _write(listing, refs[:10])
    write_before(existing_parts(listing.run), listing.run)
    _write(listing, refs[10:30])
    new, totals = _list(listing)
    assert refs[30:] == new
    assert (_COUNT, 10, 20) == (totals.listed, totals.skipped, totals.rows)


def test_force_counts_only_rows_of_this_run(listing: RunControl, refs: list[ImageRef]) -> None:
    """A rewritten object keeps its name but not its tag."""
    _write(listing, refs[:10])
    _write(listing, refs[10:20])
    before = existing_parts(listing.run)
    write_before(before, listing.run)
    _write(listing, refs[:10])
    options = replace(listing.run.options, force=True)
    run = replace(listing.run, options=options)
    new, totals = _list(replace(listing, run=run))
    assert refs[10:] == new
    assert (0, 10) == (totals.skipped, totals.rows)
    assert 10 == add_totals(count_parts(new_parts(run, before))).rows
    assert 10 == read_earlier(run, before).totals.rows


def test_the_parts_before_a_run_are_read_as_written(
    listing: RunControl, refs: list[ImageRef]
) -> None:
    """If they are gone, reading them is an error."""
    _write(listing, refs[:3])
    before = existing_parts(listing.run)
    write_before(before, listing.run)
    assert before == read_before(listing.run)
    delete_coordination_files(listing.run.output, listing.run.run_id)
    with pytest.raises(JobError, match="gone or broken"):
        read_before(listing.run)


@contextmanager
def open_worker(key: WorkerKey) -> Iterator[LocalClassifier]:
    """Lend a worker as a runner's process does."""
    del key
    yield fake_worker()


def _step(run: RunSpec) -> ClassifyChunksDoFn:
    return ClassifyChunksDoFn(RunControl(run, remote=True), open_worker)


def test_the_stop_flag_returns_chunks(memory: str) -> None:
    """No chunk starts, and its pictures do not count as listed."""
    refs = put_all(memory, {f"{number}.jpg": jpeg() for number in range(6)})
    run = RunSpec(parse_location(f"{memory}-out"), DIGEST, "test")
    transform = _step(run)
    write_before(existing_parts(run), run)
    transform.setup()
    transform.start_bundle()
    write_stop_flag(run)
    assert StopFlag(run).is_set()
    (not_begun,) = transform.process(refs)
    assert ("failures", refs) == (not_begun.tag, not_begun.value)
    assert [] == list(transform.finish_bundle())
    transform.teardown()
    delete_coordination_files(run.output, run.run_id)
    assert [] == list(open_store(run.output.root).list(run.folder.key))


def test_a_worker_of_a_run_that_is_over_stops(memory: str) -> None:
    """Otherwise a worker that was cut off from the cluster would go on."""
    run = RunSpec(parse_location(f"{memory}-out"), DIGEST, "test")
    transform = _step(run)
    transform.setup()
    transform.start_bundle()
    with pytest.raises(JobError, match="the run test is over"):
        list(transform.process(put_all(memory, {"a.jpg": jpeg()})))
    transform.teardown()


@pytest.mark.usefixtures("refs")
def test_the_stop_flag_ends_the_listing(listing: RunControl) -> None:
    """The lister yields no further chunk, and then its counts."""
    write_stop_flag(listing.run)
    new, totals = _list(listing)
    assert ([], 0, 1) == (new, totals.listed, totals.stopped_early)
