"""What a run on a cluster has written tells what is left, as plain functions over a store."""

from dataclasses import replace

import pytest

from seefood.errors import JobError
from seefood.records import ImageRef
from seefood.results.files import encode_rows, part_location
from seefood.results.totals import Totals, add_totals
from seefood.runs.progress import ProgressCounters
from seefood.storage import open_store, write
from seefood.storage.uris import parse_location
from seefood.workers.chunks import ChunkSize, Target
from seefood.workers.threaded import Worker
from seefood_pipeline.coordination import RunCoordination, StopFlag, exists, put_stop, see_listing
from seefood_pipeline.listing import Listing, list_chunks
from seefood_pipeline.restart_state import (
    count_parts,
    note_parts,
    read_before,
    read_earlier,
    write_before,
)
from seefood_pipeline.transforms import ClassifyChunks
from tests.fakes import DIGEST, fake_worker, make_row, put_all
from tests.pictures import jpeg

pytestmark = pytest.mark.beam
_COUNT = 60


@pytest.fixture
def refs(memory: str) -> list[ImageRef]:
    """Some objects in a store."""
    put_all(memory, {f"in/{number:03d}.jpg": b"x" for number in range(_COUNT)})
    return list(open_store(memory).list("in/"))


@pytest.fixture
def listing(memory: str) -> Listing:
    """A remote listing of them, ten in a chunk, over an output where nothing is yet."""
    listing = Listing(
        sources=(f"{memory}/in/",),
        output=f"{memory}/out",
        done_parts=(),
        chunk=ChunkSize(10),
        limit=None,
        run_id="test",
        remote=True,
    )
    write_before(note_parts(parse_location(listing.output), DIGEST), listing.coordination.before)
    return listing


def _write(listing: Listing, refs: list[ImageRef]) -> None:
    output = parse_location(listing.output)
    rows = [make_row(ref.uri, etag=ref.etag) for ref in refs]
    write(part_location(output, DIGEST, refs, "parquet"), encode_rows(rows, "parquet"))


def _list(listing: Listing) -> tuple[list[ImageRef], Totals]:
    *chunks, totals = list_chunks(listing, ProgressCounters())
    assert isinstance(totals, Totals)
    return [ref for chunk in chunks if isinstance(chunk, list) for ref in chunk], totals


def test_a_repeated_listing_leaves_out_what_was_written(
    listing: Listing, refs: list[ImageRef]
) -> None:
    """Counts of both attempts together are those of one: rows due are rows."""
    _write(listing, refs[:25])
    due, totals = _list(listing)
    assert refs[25:] == due
    assert (_COUNT, 0, 25, 1) == (totals.listed, totals.skipped, totals.rows, totals.parts)
    assert _COUNT == (see_listing(listing.coordination) or Totals()).listed


def test_what_vanished_since_was_listed_all_the_same(
    listing: Listing, refs: list[ImageRef]
) -> None:
    """A picture that has its row and is gone when the listing is repeated still counts."""
    _write(listing, refs[:5])
    place = parse_location(refs[0].uri)
    open_store(place.root).delete(place.key)
    due, totals = _list(listing)
    assert totals.listed - totals.skipped == totals.rows + len(due) == _COUNT


def test_what_earlier_runs_wrote_is_skipped_and_not_counted(
    listing: Listing, refs: list[ImageRef]
) -> None:
    """Before the run is the ledger's; during the run is the run's own."""
    _write(listing, refs[:10])
    write_before(note_parts(parse_location(listing.output), DIGEST), listing.coordination.before)
    _write(listing, refs[10:30])
    due, totals = _list(listing)
    assert refs[30:] == due
    assert (_COUNT, 10, 20) == (totals.listed, totals.skipped, totals.rows)


def test_force_counts_what_this_run_wrote_only(listing: Listing, refs: list[ImageRef]) -> None:
    """An object that was written anew keeps its name but not its tag."""
    _write(listing, refs[:10])
    _write(listing, refs[10:20])
    before = note_parts(parse_location(listing.output), DIGEST)
    write_before(before, listing.coordination.before)
    _write(listing, refs[:10])
    due, totals = _list(replace(listing, force=True))
    assert refs[10:] == due
    assert (0, 10) == (totals.skipped, totals.rows)
    assert (
        10 == add_totals(count_parts(before.new_parts())).rows == read_earlier(before).totals.rows
    )


def test_a_note_comes_back_as_it_was(listing: Listing, refs: list[ImageRef]) -> None:
    """And one that is gone is a sentence."""
    _write(listing, refs[:3])
    before = note_parts(parse_location(listing.output), DIGEST)
    write_before(before, listing.coordination.before)
    assert before == read_before(listing.coordination.before)
    listing.coordination.clear()
    with pytest.raises(JobError, match="gone or broken"):
        read_before(listing.coordination.before)


def open_worker() -> Worker:
    """Open a worker as a runner would."""
    return fake_worker()


def test_a_stop_sign_gives_chunks_back(memory: str) -> None:
    """Nothing new starts, and what was given back is not due."""
    refs = put_all(memory, {f"{number}.jpg": jpeg() for number in range(6)})
    coordination = RunCoordination(f"{memory}-out", "test")
    transform = ClassifyChunks(
        open_worker, Target(parse_location(coordination.output), DIGEST), coordination
    )
    write_before(note_parts(parse_location(coordination.output), DIGEST), coordination.before)
    transform.setup()
    put_stop(coordination)
    assert StopFlag(coordination).is_up()
    (totals,) = transform.process(refs)
    assert (-6, 1, 0) == (totals.listed, totals.stopped_early, totals.rows)
    assert [] == list(transform.finish_bundle())
    transform.teardown()
    coordination.clear()
    assert not exists(coordination.stop)


def test_a_worker_of_a_run_that_is_over_stops(memory: str) -> None:
    """Cut off from the cluster, it would go on with what it was handed."""
    coordination = RunCoordination(f"{memory}-out", "test")
    transform = ClassifyChunks(
        open_worker, Target(parse_location(coordination.output), DIGEST), coordination
    )
    transform.setup()
    with pytest.raises(JobError, match="the run test is over"):
        list(transform.process(put_all(memory, {"a.jpg": jpeg()})))
    transform.teardown()


@pytest.mark.usefixtures("refs")
def test_a_stop_sign_ends_the_listing(listing: Listing) -> None:
    """The lister stops in good order, too."""
    put_stop(listing.coordination)
    due, totals = _list(listing)
    assert ([], 0, 1) == (due, totals.listed, totals.stopped_early)
