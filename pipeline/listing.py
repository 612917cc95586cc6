"""Which pictures are due: the sources' objects, less what has a row already, in chunks."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from seefood.chunks import ChunkSize, chunk_refs
from seefood.errors import JobError
from seefood.ledger import Ledger, read_ledger
from seefood.manifests import Manifest
from seefood.progress import Meter
from seefood.records import ImageRef
from seefood.selection import Selection
from seefood.shard import Shard
from seefood.sources import Source, list_sources, parse_source
from seefood.totals import Totals, too_many_failed
from seefood.uris import parse_location
from seefood.worker import STOPPED


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


def list_chunks(listing: Listing, meter: Meter) -> Iterator[list[ImageRef] | Totals]:
    """Yield chunks of new references, and last the `Totals` of what was listed and skipped.

    Turns `meter` as it goes, and ends early when it shows too many failures. Raises `UsageError`
    for a source that cannot be listed, `JobError` for an unreadable result object or when the
    operator asked to stop.
    """
    ledger = read_ledger(listing.done_parts)
    sources: list[Source | Manifest] = [*map(parse_source, listing.sources), *listing.manifests]
    refs = list_sources(sources, parse_location(listing.output), listing.selection)
    refs = islice(refs, listing.limit)
    if listing.shard is not None:
        refs = filter(listing.shard.__contains__, refs)
    fresh = _Fresh(refs, ledger, meter)
    sent = 0
    stopped = False
    for chunk in chunk_refs(fresh, listing.chunk):
        if meter.stop_requested:
            raise JobError(STOPPED)
        stopped = too_many_failed(meter.rows, meter.failed, listing.max_failure_ratio)
        if stopped:
            break
        sent += len(chunk)
        yield chunk
    meter.listing_done = True
    yield Totals(
        listed=fresh.skipped + sent,
        skipped=fresh.skipped,
        again=fresh.again + ledger.doubled,
        stopped_early=int(stopped),
    )


class _Fresh:
    """The references that the ledger has not, counted while they pass."""

    def __init__(self, refs: Iterator[ImageRef], ledger: Ledger, meter: Meter) -> None:
        self._refs = refs
        self._ledger = ledger
        self._meter = meter
        self.skipped = 0
        self.again = 0

    def __iter__(self) -> Iterator[ImageRef]:
        for ref in self._refs:
            known = ref in self._ledger
            self.skipped += known
            self.again += not known and self._ledger.has_tried(ref)
            self._meter.list(1, int(known))
            if not known:
                yield ref
