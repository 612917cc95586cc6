"""Thin transforms. Each calls a plain function of the core that a test calls without Beam."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import apache_beam as beam
from apache_beam.metrics import Metrics
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.windowed_value import WindowedValue

from seefood.records import ImageRef
from seefood.results.totals import Totals, add_totals
from seefood.workers.chunks import Target, classify_chunk
from seefood.workers.threaded import ChunkClassifier
from seefood_pipeline.coordination import RunCoordination, StopFlag
from seefood_pipeline.listing import Listing, list_chunks
from seefood_pipeline.warm_start import warm_start_of
from seefood_pipeline.worker_factory import run_counters

LISTED: Final = "listed"
_NAMESPACE: Final = "seefood"
# While one chunk is written and the next one's first objects are fetched, a third computes.
_CHUNKS_IN_FLIGHT: Final = 3


@dataclass
class ClassifyPictures(beam.PTransform):
    """The whole job: a PCollection of one `Listing` in, one of its `Totals` out."""

    open_worker: Callable[[], ChunkClassifier]
    target: Target
    spread: bool
    """Whether chunks are redistributed over workers. In one process it would only be a barrier
    that keeps the first picture waiting until the last one is listed."""
    coordination: RunCoordination | None = None
    """Where workers of other processes are told to stop."""

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, listing: beam.PCollection) -> beam.PCollection:
        """Chain the steps."""
        listed = listing | "List new pictures" >> beam.ParDo(ListChunks()).with_outputs(
            LISTED, main="chunks"
        )
        chunks = listed.chunks
        if self.spread:
            chunks = chunks | "Spread over workers" >> beam.Reshuffle()
        written = chunks | "Classify and write" >> beam.ParDo(
            ClassifyChunks(self.open_worker, self.target, self.coordination)
        )
        return (
            (written, listed[LISTED])
            | "Gather counts" >> beam.Flatten()
            | "Add up" >> beam.CombineGlobally(add_totals).without_defaults()
        )


class ListChunks(beam.DoFn):
    """From a `Listing` to chunks of references; counts go to the output `listed`."""

    def process(self, listing: Listing) -> Iterator[Any]:
        """Yield chunks while listing goes on."""
        # Beam would take an honest annotation, with the tagged output in it, for the main output's.
        begun = warm_start_of(listing.run_id)
        listed = begun.items() if begun else list_chunks(listing, run_counters(listing.run_id))
        for item in listed:
            yield TaggedOutput(LISTED, item) if isinstance(item, Totals) else item


@dataclass
class ClassifyChunks(beam.DoFn):
    """From chunks to the totals of each, after its rows were written."""

    open_worker: Callable[[], ChunkClassifier]
    target: Target
    coordination: RunCoordination | None = None
    _pending: deque[Future[Totals]] = field(default_factory=deque, init=False)

    def setup(self) -> None:
        """Open the worker and a few threads that wait for it."""
        self._worker = self.open_worker()
        self._pool = ThreadPoolExecutor(_CHUNKS_IN_FLIGHT, thread_name_prefix="chunk")
        self._stop = StopFlag(self.coordination) if self.coordination is not None else None
        self._rows = Metrics.counter(_NAMESPACE, "out-rows")
        self._failed = Metrics.counter(_NAMESPACE, "out-failed")
        self._bytes = Metrics.counter(_NAMESPACE, "in-bytes")

    def process(self, refs: Sequence[ImageRef]) -> Iterator[Totals]:
        """Start this chunk; wait for the oldest one if too many are in flight.

        Once the stop sign is up, a chunk is given back: as if it had not been listed.
        """
        if self._stop is not None and self._stop.is_up():
            yield Totals(listed=-len(refs), stopped_early=1)
            return
        self._pending.append(self._pool.submit(classify_chunk, refs, self._worker, self.target))
        if len(self._pending) >= _CHUNKS_IN_FLIGHT:
            yield self._finish_oldest()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Wait for the rest: Beam may forget the bundle's input after this."""
        while self._pending:
            yield GlobalWindows.windowed_value(self._finish_oldest())

    def teardown(self) -> None:
        """Let the threads go."""
        self._pool.shutdown()

    def _finish_oldest(self) -> Totals:
        totals = self._pending.popleft().result()
        self._rows.inc(totals.rows)
        self._failed.inc(totals.failed)
        self._bytes.inc(totals.bytes_read)
        return totals
