"""Which pictures are due, as plain functions: no pipeline runs here."""

from dataclasses import replace

import pytest

from seefood.errors import JobError, UsageError
from seefood.records import ImageRef
from seefood.results.files import encode_rows, list_parts, part_location
from seefood.results.totals import Totals
from seefood.runs.progress import ProgressCounters
from seefood.storage import write
from seefood.storage.uris import parse_location
from seefood.workers.chunks import ChunkSize
from seefood_pipeline.listing import Listing, list_chunks
from tests.fakes import DIGEST, make_row, put_all


@pytest.fixture
def refs(memory: str) -> list[ImageRef]:
    """Two hundred objects in a store."""
    return put_all(memory, {f"in/{number:03d}.jpg": b"x" for number in range(200)})


@pytest.fixture
def listing(memory: str) -> Listing:
    """What lists them all, fifty in a chunk."""
    return Listing(
        sources=(f"{memory}/in/",),
        output=f"{memory}/out",
        done_parts=(),
        chunk=ChunkSize(50),
        limit=None,
        run_id="test",
    )


def _split(listing: Listing, meter: ProgressCounters) -> tuple[list[list[ImageRef]], Totals]:
    *chunks, totals = list_chunks(listing, meter)
    assert isinstance(totals, Totals)
    return [chunk for chunk in chunks if isinstance(chunk, list)], totals


def _write(listing: Listing, refs: list[ImageRef]) -> Listing:
    """Write rows for `refs` and return the listing of the next run."""
    output = parse_location(listing.output)
    rows = [make_row(ref.uri, etag=ref.etag) for ref in refs]
    write(part_location(output, DIGEST, refs, "parquet"), encode_rows(rows, "parquet"))
    return replace(listing, done_parts=tuple(part.uri for part in list_parts(output, DIGEST)))


def test_everything_is_due_the_first_time(listing: Listing, refs: list[ImageRef]) -> None:
    """Chunks hold every reference once, in order, and then come the counts."""
    meter = ProgressCounters()
    chunks, totals = _split(listing, meter)
    assert refs == [ref for chunk in chunks for ref in chunk]
    assert [50] * 4 == [len(chunk) for chunk in chunks]
    assert (200, 0) == (totals.listed, totals.skipped)
    assert (200, 0, True) == (meter.listed, meter.skipped, meter.listing_done)


def test_what_has_a_row_is_skipped(listing: Listing, refs: list[ImageRef]) -> None:
    """A row of this content under this model is enough."""
    chunks, totals = _split(_write(listing, refs[:70]), ProgressCounters())
    assert refs[70:] == [ref for chunk in chunks for ref in chunk]
    assert (200, 70) == (totals.listed, totals.skipped)


def test_a_changed_object_is_due_again(listing: Listing, refs: list[ImageRef]) -> None:
    """Another content at the same place is another picture."""
    following = _write(listing, refs)
    write(parse_location(refs[3].uri), b"other content")
    chunks, totals = _split(following, ProgressCounters())
    assert [[refs[3].uri]] == [[ref.uri for ref in chunk] for chunk in chunks]
    assert 199 == totals.skipped


def test_nothing_new_is_no_chunk(listing: Listing, refs: list[ImageRef]) -> None:
    """A rerun over the same bucket lists and does nothing."""
    chunks, totals = _split(_write(listing, refs), ProgressCounters())
    assert ([], 200, 200) == (chunks, totals.listed, totals.skipped)


@pytest.mark.usefixtures("refs")
def test_a_limit_counts_what_is_listed(listing: Listing) -> None:
    """`--limit` takes the first so many objects, new or not: a rerun does not creep on."""
    limited = replace(listing, limit=70)
    chunks, totals = _split(limited, ProgressCounters())
    assert (70, 70) == (sum(map(len, chunks)), totals.listed)


@pytest.mark.usefixtures("refs")
def test_a_listing_repeats_itself(listing: Listing) -> None:
    """Repeated after a failure, it makes the same chunks: their results overwrite themselves."""
    assert _split(listing, ProgressCounters())[0] == _split(listing, ProgressCounters())[0]


@pytest.mark.usefixtures("refs")
def test_a_stop_ends_the_listing(listing: Listing) -> None:
    """ClassifyRequest to stop, it says so before the next chunk."""
    meter = ProgressCounters()
    chunks = list_chunks(listing, meter)
    next(chunks)
    meter.request_stop(60.0)
    with pytest.raises(JobError, match=r"stopped before .* run the same command again to go on"):
        next(chunks)


def test_a_source_that_vanished_is_told(listing: Listing) -> None:
    """A folder that is gone when the worker lists it is a sentence, not an empty result."""
    with pytest.raises(UsageError, match="there is nothing at /nowhere"):
        list(list_chunks(replace(listing, sources=("/nowhere/photos",)), ProgressCounters()))
