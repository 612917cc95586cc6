"""`ClassifyImages`: pictures in, rows out, on any runner; and `classify_images`, without Beam."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import apache_beam as beam
from apache_beam.metrics import Metrics
from apache_beam.pvalue import TaggedOutput
from apache_beam.utils.windowed_value import WindowedValue

from seefood.bundle import Bundle
from seefood.classification import ClassifyOptions, failed_row
from seefood.engines.fast import choose_bundle
from seefood.engines.registry import AUTO
from seefood.imaging.limits import DEFAULT_LIMITS, Limits
from seefood.records import Row, Status
from seefood.workers.ahead import Ahead
from seefood.workers.chunks import ChunkClassifier, checked_rows
from seefood.workers.opening import ModelSpec, check_spec
from seefood_pipeline.images import (
    Batch,
    Image,
    check_elements,
    check_iterable,
    complete_images,
    to_image,
)
from seefood_pipeline.picture_row import PictureRow, to_picture_row
from seefood_pipeline.worker_factory import WorkerFactory, WorkerKey, shared_worker

FAILURES: Final = "failures"
_NAMESPACE: Final = "seefood"


class Classified(NamedTuple):
    """The outputs of `ClassifyImages`."""

    rows: beam.PCollection
    """Of `PictureRow`: one for each picture that has a label."""
    failures: beam.PCollection
    """Of `PictureRow`: one for each element that has none; `error_code` states why."""


class ClassifyImages(beam.PTransform):
    """Classifies a PCollection of pictures; returns two PCollections, `Classified`.

        rows, failures = uris | ClassifyImages("hotdog")

    An element is a URI; a key and the bytes of a picture, whose row has the key as `uri`; a match
    of `fileio.MatchFiles` or `fileio.ReadMatches`; or an `ImageRef` of `ListImages`. A row has the
    window and the timestamp of its element. Pictures of a bundle are classified together. Each
    process of a runner has one worker process for a model, however many steps and threads it has.
    """

    def __init__(  # noqa: PLR0913 (keywords, with the names of the command's options)
        self,
        model: str | Path | Bundle | None = None,
        *,
        digest: str | None = None,
        engine: str = AUTO,
        fast: bool | float | None = None,
        top_k: int = 5,
        limits: Limits = DEFAULT_LIMITS,
        salvage: bool = False,
    ) -> None:
        """`model` is a bundle's folder or URI on each worker machine, or a built-in model.

        `digest` pins it; without it, workers accept only the digest that the model has here. `fast`
        runs the bundle's fastest variant that loses at most so many percentage points of accuracy,
        True for 0.5; it is chosen here, and `digest` is then its digest. The other options are
        those of `seefood classify`. Raises `BundleError` or `UsageError` for a model or an option
        that is wrong.
        """
        super().__init__()
        options = ClassifyOptions(top_k, limits, salvage)
        self._key = WorkerKey(model_spec(model, digest, engine, options, fast=fast))

    def expand(self, images: beam.PCollection) -> Any:  # `Classified`, of which Beam warns
        """Check the type of the elements and classify them."""
        check_elements("ClassifyImages", images.element_type)
        return apply_step(images, ClassifyElementsDoFn(self._key), PictureRow, PictureRow)


def apply_step(
    images: beam.PCollection, step: "ClassifyDoFn", rows: Any, failures: Any
) -> Classified:
    """Return the outputs of `step`, whose elements have the types `rows` and `failures`."""
    outputs = images | "Classify" >> beam.ParDo(step).with_outputs(FAILURES, main="rows")
    classified = Classified(outputs.rows, outputs[FAILURES])
    classified.rows.element_type, classified.failures.element_type = rows, failures
    return classified


def model_spec(
    model: str | Path | Bundle | None,
    digest: str | None,
    engine: str,
    options: ClassifyOptions,
    *,
    fast: bool | float | None = None,
) -> ModelSpec:
    """Return what workers open, pinned to the digest that the model has on this machine.

    `fast` chooses a faster variant here, which every worker then runs.

    Raises `BundleError` or `UsageError` for a model or an option that is wrong.
    """
    bundle, engine = choose_bundle(model, digest, engine, fast=fast)
    name = str(model.path if isinstance(model, Bundle) else model or "")
    if name and Path(name).exists():
        spec = ModelSpec(str(bundle.path.resolve()), bundle.digest, engine, options)
    else:
        variant = bundle.variant.name if bundle.variant is not None else ""
        spec = ModelSpec(name, bundle.digest, engine, options, variant)
    check_spec(spec)
    return spec


def classify_images(
    elements: Iterable[Any], model: str | Path | Bundle | ModelSpec | None = None
) -> Iterator[Row]:
    """Yield one row for each element, in order: what `ClassifyImages` does, without Beam.

    `model` is as in `ClassifyImages`; a `ModelSpec` has options, too. Elements that are no pictures
    have failed rows. Raises `BundleError` or `UsageError` for a model that is wrong, `JobError` if
    the worker process cannot continue.
    """
    check_iterable(elements)
    if not isinstance(model, ModelSpec):
        model = model_spec(model, None, AUTO, ClassifyOptions())
    return _classify(elements, model)


def _classify(elements: Iterable[Any], spec: ModelSpec) -> Iterator[Row]:
    max_bytes = spec.options.limits.max_bytes
    with shared_worker(WorkerKey(spec)) as worker:
        ahead: Ahead[list[Image], list[Row]] = Ahead(lambda images: start_images(images, worker))
        batch = Batch()
        for element in elements:
            batch.add(to_image(element, max_bytes))
            if batch.is_full:
                for rows in ahead.put(batch.take()):
                    yield from rows
        for rows in (*ahead.put(batch.take()), *ahead.drain()):
            yield from rows


def start_images(images: Sequence[Image], worker: ChunkClassifier) -> Callable[[], list[Row]]:
    """Begin to classify `images`; return the function that waits for a row for each, in order."""
    images = complete_images(images)
    valid = [image for image in images if image.error is None]
    refs = [image.ref for image in valid]
    wait = worker.start(refs, [image.content for image in valid])

    def rows() -> list[Row]:
        classified = iter(checked_rows(refs, wait()))
        return [
            next(classified)
            if image.error is None
            else failed_row(image.ref, image.error, worker.engine_name, worker.model)
            for image in images
        ]

    return rows


class ClassifyDoFn(beam.DoFn):
    """Holds the worker, and a few batches in flight within a bundle."""

    def __init__(self, key: WorkerKey, open_worker: WorkerFactory = shared_worker) -> None:
        self._key = key
        self._open_worker = open_worker

    def setup(self) -> None:
        """Open the worker of this process."""
        self._lent = ExitStack()
        self.worker = self._lent.enter_context(self._open_worker(self._key))
        self._rows = Metrics.counter(_NAMESPACE, "out-rows")
        self._failed = Metrics.counter(_NAMESPACE, "out-failed")
        self._bytes = Metrics.counter(_NAMESPACE, "in-bytes")

    def start_bundle(self) -> None:
        """Forget what a failed bundle has left."""
        self.ahead: Ahead[Any, list[Row]] = Ahead(self.start)

    def teardown(self) -> None:
        """Give the worker back."""
        self._lent.close()

    @abstractmethod
    def start(self, unit: Any) -> Callable[[], list[Row]]:
        """Begin a unit of work."""

    def count(self, rows: Sequence[Row]) -> None:
        """Add `rows` to the metrics."""
        self._rows.inc(len(rows))
        self._failed.inc(sum(row.status is Status.FAILED for row in rows))
        self._bytes.inc(sum(row.size_bytes for row in rows))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the stream an element is, and so its row."""

    timestamp: Any
    window: Any


class ClassifyElementsDoFn(ClassifyDoFn):
    """From single pictures to their rows; batches never outlast a bundle."""

    def start_bundle(self) -> None:
        """Begin with an empty batch."""
        super().start_bundle()
        self._max_bytes = self._key.spec.options.limits.max_bytes
        self._batch = Batch()
        self._places: list[_Place] = []

    def process(
        self,
        element: Any,
        timestamp: Any = beam.DoFn.TimestampParam,
        window: Any = beam.DoFn.WindowParam,
    ) -> Iterator[Any]:
        """Add a picture to the batch; start the batch when it is full."""
        self._batch.add(to_image(element, self._max_bytes))
        self._places.append(_Place(timestamp, window))
        if self._batch.is_full:
            yield from self._placed(self.ahead.put(self._batch.take()))

    def finish_bundle(self) -> Iterator[Any]:
        """Classify the rest and wait for all rows."""
        yield from self._placed(self.ahead.put(self._batch.take()))
        yield from self._placed(self.ahead.drain())

    def start(self, unit: Sequence[Image]) -> Callable[[], list[Row]]:
        """See `start_images`."""
        return start_images(unit, self.worker)

    def _placed(self, batches: Iterable[list[Row]]) -> Iterator[Any]:
        """Yield each row in the window of its element: rows come in the order of elements."""
        for rows in batches:
            self.count(rows)
            places, self._places = self._places[: len(rows)], self._places[len(rows) :]
            for row, place in zip(rows, places, strict=True):
                value = WindowedValue(to_picture_row(row), place.timestamp, (place.window,))
                yield TaggedOutput(FAILURES, value) if row.status is Status.FAILED else value
