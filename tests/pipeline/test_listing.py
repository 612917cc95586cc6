"""Which pictures a run classifies, tested without a pipeline."""

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from seefood.errors import JobError, UsageError
from seefood.records import ImageRef
from seefood.results.files import encode_rows, list_parts, part_location
from seefood.results.totals import Totals
from seefood.runs.run_spec import ChunkSize, RunOptions, RunSpec
from seefood.sources.registry import parse_source
from seefood.storage import write
from seefood.storage.uris import parse_location
from seefood.workers.chunks import FIRST_CHUNK
from seefood_pipeline.run_control import RunControl
from seefood_pipeline.worker_factory import run_counters
from tests.fakes import DIGEST, make_row, put_all
from tests.pipeline_steps import list_chunks

pytestmark = pytest.mark.beam


@pytest.fixture
def refs(memory: str) -> list[ImageRef]:
    """Two hundred objects in a store."""
    return put_all(memory, {f"in/{number:03d}.jpg": b"x" for number in range(200)})


@pytest.fixture
def listing(memory: str) -> RunControl:
    """A listing of them all, fifty in a chunk."""
    run = RunSpec(
        output=parse_location(f"{memory}/out"),
        digest=DIGEST,
        run_id=f"test-{uuid4().hex}",
        sources=(parse_source(f"{memory}/in/"),),
        options=RunOptions(chunk=ChunkSize(50)),
    )
    return RunControl(run)


def _split(listing: RunControl) -> tuple[list[list[ImageRef]], Totals]:
    *chunks, totals = list_chunks(listing)
    assert isinstance(totals, Totals)
    return [chunk for chunk in chunks if isinstance(chunk, list)], totals


def _write(listing: RunControl, refs: list[ImageRef]) -> RunControl:
    """Write rows for `refs` and return the listing of the next run."""
    output = listing.run.output
    rows = [make_row(ref.uri, etag=ref.etag) for ref in refs]
    write(part_location(output, DIGEST, refs, "parquet"), encode_rows(rows, "parquet"))
    return replace(listing, done_parts=tuple(part.uri for part in list_parts(output, DIGEST)))


def test_the_first_run_classifies_everything(listing: RunControl, refs: list[ImageRef]) -> None:
    """Chunks have every reference once, in order; the counts follow."""
    counters = run_counters(listing.run.run_id)
    chunks, totals = _split(listing)
    assert refs == [ref for chunk in chunks for ref in chunk]
    assert [FIRST_CHUNK, 50, 50, 50, 34] == [len(chunk) for chunk in chunks]
    assert (200, 0) == (totals.listed, totals.skipped)
    assert (200, 0, True) == (counters.listed, counters.skipped, counters.listing_done)


def test_a_picture_with_a_row_is_skipped(listing: RunControl, refs: list[ImageRef]) -> None:
    """A row of the same content and model is enough."""
    chunks, totals = _split(_write(listing, refs[:70]))
    assert refs[70:] == [ref for chunk in chunks for ref in chunk]
    assert (200, 70) == (totals.listed, totals.skipped)


def test_a_changed_object_is_classified_again(listing: RunControl, refs: list[ImageRef]) -> None:
    """Other content under the same name is another picture."""
    following = _write(listing, refs)
    write(parse_location(refs[3].uri), b"other content")
    chunks, totals = _split(following)
    assert [[refs[3].uri]] == [[ref.uri for ref in chunk] for chunk in chunks]
    assert 199 == totals.skipped


def test_nothing_new_is_no_chunk(listing: RunControl, refs: list[ImageRef]) -> None:
    """A rerun over the same bucket yields no chunk."""
    chunks, totals = _split(_write(listing, refs))
    assert ([], 200, 200) == (chunks, totals.listed, totals.skipped)


@pytest.mark.usefixtures("refs")
def test_a_limit_counts_what_is_listed(listing: RunControl) -> None:
    """`--limit` counts listed objects, new or not: a rerun does not reach further."""
    options = replace(listing.run.options, limit=70)
    limited = replace(listing, run=replace(listing.run, options=options))
    chunks, totals = _split(limited)
    assert (70, 70) == (sum(map(len, chunks)), totals.listed)


@pytest.mark.usefixtures("refs")
def test_a_listing_repeats_itself(listing: RunControl) -> None:
    """A repeated listing makes the same chunks, whose results have the same names."""
    assert _split(listing)[0] == _split(listing)[0]


@pytest.mark.usefixtures("refs")
def test_a_stop_ends_the_listing(listing: RunControl) -> None:
    """A stop is an error before the next chunk."""
    chunks = list_chunks(listing)
    next(chunks)
    run_counters(listing.run.run_id).request_stop(60.0)
    with pytest.raises(JobError, match=r"stopped before .* run the same command again to go on"):
        next(chunks)


def test_a_source_that_has_vanished_is_an_error(listing: RunControl, tmp_path: Path) -> None:
    """A folder that is gone when the worker lists it is an error, not an empty result."""
    folder = tmp_path / "photos"
    folder.mkdir()
    run = replace(listing.run, sources=(parse_source(str(folder)),))
    folder.rmdir()
    with pytest.raises(UsageError, match=f"there is nothing at {folder}"):
        list(list_chunks(replace(listing, run=run)))
