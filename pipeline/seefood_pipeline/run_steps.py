"""The command's job: the public transforms, with the counts and the stops of a run.

In a run a chunk is the unit: a list of references whose rows become one result object.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.windowed_value import WindowedValue

from seefood.records import ImageRef, Row
from seefood.results.totals import Totals
from seefood.runs.run_spec import ChunkSize
from seefood.sources.notes import ListingNotes
from seefood.workers.chunks import Chunker, checked_rows
from seefood_pipeline.classifying import (
    FAILURES,
    ClassifyDoFn,
    ClassifyImages,
    apply_step,
)
from seefood_pipeline.coordination import write_listing_totals
from seefood_pipeline.images import Chunk
from seefood_pipeline.listing import ListDoFn, ListImages, Listing, list_images
from seefood_pipeline.run_control import RunControl
from seefood_pipeline.skipping import SkipDone
from seefood_pipeline.worker_factory import WorkerFactory, WorkerKey, shared_worker

_COUNTS: Final = "counts"


class Counted(NamedTuple):
    """The outputs of a step of the command's job."""

    images: beam.PCollection
    counts: beam.PCollection
    """Of `Totals`."""


def _counted(images: beam.PCollection, step: beam.DoFn) -> Counted:
    outputs = images | "Step" >> beam.ParDo(step).with_outputs(_COUNTS, main="images")
    outputs.images.element_type = ImageRef
    return Counted(outputs.images, outputs[_COUNTS])


class ListRunImages(ListImages):
    """Lists the pictures of a run, until the run must stop."""

    def __init__(self, control: RunControl) -> None:
        beam.PTransform.__init__(self)
        self._control = control

    def expand(self, begin: beam.pvalue.PBegin) -> Any:  # `Counted`, of which Beam warns
        """List when the pipeline runs."""
        return _counted(begin | "Start" >> beam.Impulse(), ListRunDoFn(self._control))


class ListRunDoFn(ListDoFn):
    """From anything to the pictures of a run; what it left out goes to the output `counts`."""

    def __init__(self, control: RunControl) -> None:
        super().__init__(Listing.of(control.run))
        self._control = control

    def process(self, _: object) -> Iterator[Any]:
        """Yield pictures while listing continues, then the notes as `Totals`."""
        notes = ListingNotes()
        flag = self._control.stop_flag()
        stopped = False
        for ref in list_images(self.listing, notes):
            if self._control.must_stop(flag):
                stopped = True
                break
            yield ref
        self._control.counters.listing_done = True
        yield TaggedOutput(
            _COUNTS,
            Totals(stopped_early=int(stopped), left_out=notes.left_out, remarks=notes.remarks),
        )


class SkipRunDone(SkipDone):
    """Leaves out the pictures that a run must not classify, and counts them."""

    def __init__(self, control: RunControl) -> None:
        beam.PTransform.__init__(self)
        self._control = control

    def expand(self, images: beam.PCollection) -> Any:  # the same
        """Filter."""
        return _counted(images, SkipRunDoFn(self._control))


class SkipRunDoFn(beam.DoFn):
    """Filters what a run has listed; its `Totals` go to the output `counts`."""

    def __init__(self, control: RunControl) -> None:
        self._control = control

    def start_bundle(self) -> None:
        """Read no rows yet: a wrong source is reported before them."""
        self._state: _Skipping | None = None

    def process(self, ref: ImageRef) -> Iterator[ImageRef]:
        """Yield a picture that is to be classified."""
        if self._state is None:
            self._state = _Skipping(self._control)
        if self._state.is_new(ref):
            yield ref

    def finish_bundle(self) -> Iterator[TaggedOutput]:
        """Yield the counts. A listing is one bundle, because it is one element."""
        state = self._state or _Skipping(self._control)
        totals = state.totals()
        if self._control.remote:
            write_listing_totals(totals, self._control.run)
        yield TaggedOutput(_COUNTS, GlobalWindows.windowed_value(totals + state.earlier.totals))


class _Skipping:
    """Decides for the pictures of one listing, and counts them.

    A remote listing that is repeated, because a machine was lost, leaves out what was written
    meanwhile and adds its counts to the totals.
    """

    def __init__(self, control: RunControl) -> None:
        self._ledger, self.earlier = control.read_done()
        self._counters = control.counters
        self._passed = self._skipped = self._replaced = 0

    def is_new(self, ref: ImageRef) -> bool:
        """Whether `ref` has no row."""
        is_done = ref in self._ledger
        self._skipped += is_done
        self._replaced += not is_done and self._ledger.has_tried(ref)
        self._counters.add_listed(1, int(is_done))
        is_new = not is_done and ref not in self.earlier.ledger
        self._passed += is_new
        return is_new

    def totals(self) -> Totals:
        """Return what was listed."""
        return Totals(
            # Includes what an earlier attempt wrote, even if the source does not have it any more.
            listed=self._skipped + self._passed + self.earlier.totals.rows,
            skipped=self._skipped,
            replaced=self._replaced + self._ledger.duplicates,
        )


class ChunkImages(beam.PTransform):
    """Groups the pictures of a bundle, in order, into chunks: one result object each."""

    def __init__(self, size: ChunkSize) -> None:
        super().__init__()
        self._size = size

    def expand(self, images: beam.PCollection) -> beam.PCollection:
        """Group them."""
        return images | "Chunk" >> beam.ParDo(ChunkDoFn(self._size)).with_output_types(Chunk)


class ChunkDoFn(beam.DoFn):
    """The same pictures in the same order make the same chunks."""

    def __init__(self, size: ChunkSize) -> None:
        self._size = size

    def start_bundle(self) -> None:
        """Begin with an empty chunk."""
        self._chunker = Chunker(self._size)

    def process(self, ref: ImageRef) -> Iterator[Chunk]:
        """Add a picture; yield the chunk when it is full."""
        if chunk := self._chunker.add(ref):
            yield chunk

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Yield the rest."""
        if chunk := self._chunker.rest():
            yield GlobalWindows.windowed_value(chunk)


class ClassifyChunks(ClassifyImages):
    """Classifies the chunks of a run: each becomes a list of `Row`, failed pictures included.

    `failures` are the chunks that were not begun, because the run stops.
    """

    def __init__(self, control: RunControl, open_worker: WorkerFactory = shared_worker) -> None:
        beam.PTransform.__init__(self)
        self._control = control
        self._open_worker = open_worker

    def expand(self, chunks: beam.PCollection) -> Any:  # `Classified`, the same
        """Classify the chunks."""
        step = ClassifyChunksDoFn(self._control, self._open_worker)
        return apply_step(chunks, step, list[Row], Chunk)


class ClassifyChunksDoFn(ClassifyDoFn):
    """From chunks of references to lists of rows; chunks of a run that stops are not begun."""

    def __init__(self, control: RunControl, open_worker: WorkerFactory = shared_worker) -> None:
        super().__init__(WorkerKey.of(control.run), open_worker)
        self._control = control

    def setup(self) -> None:
        """Open the worker of this process."""
        super().setup()
        self._stop_flag = self._control.stop_flag()

    def process(self, refs: Chunk) -> Iterator[Any]:
        """Start this chunk; if too many are in flight, wait for the oldest."""
        if self._stop_flag is not None and self._stop_flag.is_set():
            yield TaggedOutput(FAILURES, refs)
            return
        yield from map(self._counted, self.ahead.put(refs))

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Wait for the rest: Beam may discard the bundle's input after this."""
        for rows in self.ahead.drain():
            yield GlobalWindows.windowed_value(self._counted(rows))

    def start(self, unit: Chunk) -> Callable[[], list[Row]]:
        """Begin a chunk."""
        wait = self.worker.start(unit)
        return lambda: checked_rows(unit, wait())

    def _counted(self, rows: list[Row]) -> list[Row]:
        self.count(rows)
        return rows
