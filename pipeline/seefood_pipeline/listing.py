"""Which pictures are due: the sources' objects, less what has a row already, in chunks."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from seefood.errors import JobError
from seefood.records import ImageRef
from seefood.results.ledger import Ledger, read_ledger
from seefood.results.totals import Totals, too_many_failed
from seefood.runs.progress import ProgressCounters
from seefood.runs.sharding import Shard
from seefood.sources.filters import Selection
from seefood.sources.listing import Source, list_sources, parse_source
from seefood.sources.manifests import Manifest
from seefood.storage.uris import parse_location
from seefood.workers.chunks import ChunkSize, chunk_refs
from seefood.workers.threaded import STOPPED
from seefood_pipeline.coordination import RunCoordination, StopFlag, put_listing
from seefood_pipeline.restart_state import Earlier, read_before, read_earlier

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listing:
    """What is to be listed; small, whatever the bucket's size, and travels to a worker."""

    sources: tuple[str, ...]
    """As the user gave them, local paths absolute."""
    output: str
    """A URI; what lies below it is no source."""
    done_parts: tuple[str, ...]
    """URIs of the result objects that were there when the job started. Fixed at the start, so
    that a listing that is repeated after a failure makes the same chunks again."""
    chunk: ChunkSize
    limit: int | None
    run_id: str
    shard: Shard | None = None
    """Keep this part of what is listed only; `limit` counts before, over all shards."""
    manifests: tuple[Manifest, ...] = ()
    selection: Selection = field(default_factory=Selection)
    max_failure_ratio: float = 1.0
    """Stop once more than this share has failed."""
    remote: bool = False
    """Whether launcher, lister and workers are different processes. What was there before lies in
    the store then (`RunCoordination.before`), not in `done_parts`: two million names are too many
    to travel.
    """
    force: bool = False
    """With `remote`: what was there before does not count."""

    @property
    def coordination(self) -> RunCoordination:
        """How the processes of a remote run tell one another things."""
        return RunCoordination(self.output, self.run_id)


def list_chunks(listing: Listing, meter: ProgressCounters) -> Iterator[list[ImageRef] | Totals]:
    """Yield chunks of new references, and last the `Totals` of what was listed and skipped.

    Turns `meter` as it goes, and ends early when it shows too many failures. A remote listing that
    is repeated, because a machine was lost, leaves out what was written meanwhile, and its totals
    hold the counts of that. Raises `UsageError` for a source that cannot be listed, `JobError` for
    an unreadable result object or when the operator asked to stop.
    """
    done_parts, earlier, stop = _state(listing)
    ledger = read_ledger(done_parts)
    sources: list[Source | Manifest] = [*map(parse_source, listing.sources), *listing.manifests]
    refs = list_sources(sources, parse_location(listing.output), listing.selection)
    refs = islice(refs, listing.limit)
    if listing.shard is not None:
        refs = filter(listing.shard.__contains__, refs)
    fresh = _Fresh(refs, ledger, earlier, meter)
    sent = 0
    stopped = False
    for chunk in chunk_refs(fresh, listing.chunk):
        if meter.stop_requested:
            raise JobError(STOPPED)
        stopped = too_many_failed(meter.rows, meter.failed, listing.max_failure_ratio)
        if stopped or (stop is not None and stop.is_up()):
            stopped = True
            break
        sent += len(chunk)
        yield chunk
    meter.listing_done = True
    totals = Totals(
        # What an earlier attempt wrote was listed by it, even if it is gone from the source now.
        listed=fresh.skipped + sent + earlier.totals.rows,
        skipped=fresh.skipped,
        again=fresh.again + ledger.duplicates,
        stopped_early=int(stopped),
    )
    if listing.remote:
        put_listing(listing.coordination, totals)
    yield totals + earlier.totals


def _state(listing: Listing) -> tuple[tuple[str, ...], Earlier, StopFlag | None]:
    """Return the result objects that count, what this run has done already, and its stop sign."""
    if not listing.remote:
        return listing.done_parts, Earlier(Ledger(()), Totals()), None
    before = read_before(listing.coordination.before)
    earlier = read_earlier(before)
    if earlier.totals.rows:
        _log.warning("listed again: %s rows of this run are there", f"{earlier.totals.rows:,}")
    return () if listing.force else before.uris, earlier, StopFlag(listing.coordination)


class _Fresh:
    """The references that have no row yet, counted while they pass."""

    def __init__(
        self, refs: Iterator[ImageRef], ledger: Ledger, earlier: Earlier, meter: ProgressCounters
    ) -> None:
        self._refs = refs
        self._ledger = ledger
        self._earlier = earlier.ledger
        self._meter = meter
        self.skipped = 0
        self.again = 0

    def __iter__(self) -> Iterator[ImageRef]:
        for ref in self._refs:
            known = ref in self._ledger
            self.skipped += known
            self.again += not known and self._ledger.has_tried(ref)
            self._meter.list(1, int(known))
            if not known and ref not in self._earlier:
                yield ref
