"""Lists the pictures that a run has to classify, in chunks: the objects that have no row yet."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from seefood.errors import JobError
from seefood.records import ImageRef
from seefood.results.ledger import Ledger, read_ledger
from seefood.results.totals import Totals, too_many_failed
from seefood.runs.progress import STOPPED, ProgressCounters
from seefood.runs.run_spec import RunSpec
from seefood.sources.listing import list_sources
from seefood.sources.notes import ListingNotes
from seefood.workers.chunks import chunk_refs
from seefood_pipeline.coordination import StopFlag, write_listing_totals
from seefood_pipeline.restart_state import Earlier, read_before, read_earlier

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listing:
    """A run, and which result objects existed when it started."""

    run: RunSpec
    done_parts: tuple[str, ...] = ()
    """Their URIs. They are fixed at the start, so that a repeated listing makes the same chunks."""
    remote: bool = False
    """Whether launcher, lister and workers are different processes. The lister then reads the
    result objects' names from the store, because two million of them are too large to send."""


def list_chunks(listing: Listing, counters: ProgressCounters) -> Iterator[list[ImageRef] | Totals]:
    """Yield chunks of new references, then the `Totals` of what was listed and skipped.

    Updates `counters`, and ends early when they show too many failures. A remote listing that is
    repeated, because a machine was lost, leaves out what was written meanwhile and adds its counts
    to the totals. Raises `UsageError` for a source that cannot be listed, `JobError` for a result
    object that cannot be read or when the counters request a stop.
    """
    run, options = listing.run, listing.run.options
    done_parts, earlier, stop_flag = _state(listing)
    featured = None
    if options.classify.features and done_parts:
        from seefood.features.stored import read_feature_ledger  # noqa: PLC0415 (seldom needed)

        featured = read_feature_ledger(run.output, run.digest)
    ledger = read_ledger(done_parts, featured)
    notes = ListingNotes()
    refs: Iterator[ImageRef] = islice(
        list_sources(run.sources, run.output, options.selection, notes), options.limit
    )
    if run.shard is not None:
        refs = filter(run.shard.__contains__, refs)
    new_refs = _NewRefs(refs, ledger, earlier, counters)
    yielded = 0
    stopped = False
    for chunk in chunk_refs(new_refs, options.chunk):
        if counters.stop_requested:
            raise JobError(STOPPED)
        stopped = too_many_failed(counters.rows, counters.failed, options.max_failure_ratio)
        if stopped or (stop_flag is not None and stop_flag.is_set()):
            stopped = True
            break
        yielded += len(chunk)
        yield chunk
    counters.listing_done = True
    totals = Totals(
        # Includes what an earlier attempt wrote, even if the source does not have it any more.
        listed=new_refs.skipped + yielded + earlier.totals.rows,
        skipped=new_refs.skipped,
        replaced=new_refs.replaced + ledger.duplicates,
        stopped_early=int(stopped),
        left_out=notes.left_out,
        remarks=notes.remarks,
    )
    if listing.remote:
        write_listing_totals(totals, run)
    yield totals + earlier.totals


def _state(listing: Listing) -> tuple[tuple[str, ...], Earlier, StopFlag | None]:
    """Return the result objects whose rows are skipped, what this run has done, its stop flag."""
    run = listing.run
    if not listing.remote:
        return listing.done_parts, Earlier(Ledger(()), Totals()), None
    before = read_before(run)
    earlier = read_earlier(run, before)
    if earlier.totals.rows:
        _log.warning("listing again: this run has written %s rows", f"{earlier.totals.rows:,}")
    done_parts = () if run.options.force else tuple(sorted(uri for uri, _ in before))
    return done_parts, earlier, StopFlag(run)


class _NewRefs:
    """Iterates over the references that have no row, and counts the others."""

    def __init__(
        self, refs: Iterator[ImageRef], ledger: Ledger, earlier: Earlier, counters: ProgressCounters
    ) -> None:
        self._refs = refs
        self._ledger = ledger
        self._earlier = earlier.ledger
        self._counters = counters
        self.skipped = 0
        self.replaced = 0
        """How many have a row that the new one replaces."""

    def __iter__(self) -> Iterator[ImageRef]:
        for ref in self._refs:
            is_done = ref in self._ledger
            self.skipped += is_done
            self.replaced += not is_done and self._ledger.has_tried(ref)
            self._counters.add_listed(1, int(is_done))
            if not is_done and ref not in self._earlier:
                yield ref
