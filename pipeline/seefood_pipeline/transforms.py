"""Thin transforms: each calls a plain function that tests call without Beam."""

from collections import deque
from collections.abc import Iterator, Sequence
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
from seefood.runs.run_spec import RunSpec
from seefood.workers.chunks import classify_chunk
from seefood_pipeline.coordination import StopFlag
from seefood_pipeline.listing import Listing, list_chunks
from seefood_pipeline.worker_factory import WorkerFactory, run_counters

LISTED: Final = "listed"
_NAMESPACE: Final = "seefood"
# One chunk is written, one is computed, and the first objects of the third are fetched.
_CHUNKS_IN_FLIGHT: Final = 3


@dataclass
class ClassifyPictures(beam.PTransform):
    """From a PCollection of one `Listing` to one of its `Totals`."""

    run: RunSpec
    open_worker: WorkerFactory
    remote: bool
    """Whether chunks are spread over workers. In one process the reshuffle would only delay the
    first picture until the last one is listed."""

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, listing: beam.PCollection) -> beam.PCollection:
        """Chain the steps."""
        listed = listing | "List new pictures" >> beam.ParDo(ListChunks()).with_outputs(
            LISTED, main="chunks"
        )
        chunks = listed.chunks
        if self.remote:
            chunks = chunks | "Spread over workers" >> beam.Reshuffle()
        written = chunks | "Classify and write" >> beam.ParDo(
            ClassifyChunks(self.run, self.open_worker, self.remote)
        )
        return (
            (written, listed[LISTED])
            | "Gather counts" >> beam.Flatten()
            | "Add up" >> beam.CombineGlobally(add_totals).without_defaults()
        )


class ListChunks(beam.DoFn):
    """From a `Listing` to chunks of references; its `Totals` go to the output `listed`."""

    def process(self, listing: Listing) -> Iterator[Any]:
        """Yield chunks while listing continues."""
        # Iterator[Any] because Beam takes an exact annotation for the main output's type.
        for item in list_chunks(listing, run_counters(listing.run.run_id)):
            yield TaggedOutput(LISTED, item) if isinstance(item, Totals) else item


@dataclass
class ClassifyChunks(beam.DoFn):
    """From chunks of references to the `Totals` of each, once its rows are written."""

    run: RunSpec
    open_worker: WorkerFactory
    remote: bool = False
    """Whether the launcher stops this worker through the store."""
    _pending: deque[Future[Totals]] = field(default_factory=deque, init=False)

    def setup(self) -> None:
        """Open the worker and the threads that wait for it."""
        self._worker = self.open_worker(self.run)
        self._pool = ThreadPoolExecutor(_CHUNKS_IN_FLIGHT, thread_name_prefix="chunk")
        self._stop_flag = StopFlag(self.run) if self.remote else None
        self._rows = Metrics.counter(_NAMESPACE, "out-rows")
        self._failed = Metrics.counter(_NAMESPACE, "out-failed")
        self._bytes = Metrics.counter(_NAMESPACE, "in-bytes")

    def process(self, refs: Sequence[ImageRef]) -> Iterator[Totals]:
        """Start this chunk; if too many are in flight, wait for the oldest.

        Once the stop flag is set, the chunk is subtracted from what was listed.
        """
        if self._stop_flag is not None and self._stop_flag.is_set():
            yield Totals(listed=-len(refs), stopped_early=1)
            return
        self._pending.append(self._pool.submit(classify_chunk, refs, self._worker, self.run))
        if len(self._pending) >= _CHUNKS_IN_FLIGHT:
            yield self._finish_oldest()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Wait for the rest: Beam may discard the bundle's input after this."""
        while self._pending:
            yield GlobalWindows.windowed_value(self._finish_oldest())

    def teardown(self) -> None:
        """End the threads."""
        self._pool.shutdown()

    def _finish_oldest(self) -> Totals:
        totals = self._pending.popleft().result()
        self._rows.inc(totals.rows)
        self._failed.inc(totals.failed)
        self._bytes.inc(totals.bytes_read)
        return totals
