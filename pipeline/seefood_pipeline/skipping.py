"""`SkipDone`: leaves out pictures that have a row; and `skip_done`, the same without Beam."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.typehints import typehints
from apache_beam.utils.shared import Shared
from apache_beam.utils.windowed_value import WindowedValue

from seefood.bundle import Bundle
from seefood.engines.fast import choose_bundle
from seefood.errors import UsageError
from seefood.records import ImageRef
from seefood.results.files import list_parts
from seefood.results.ledger import Ledger, read_ledger
from seefood.sanitize import shown
from seefood.storage.uris import Location, parse_location
from seefood_pipeline.images import (
    Batch,
    check_elements,
    check_iterable,
    complete_images,
    to_image,
)


def skip_done(images: Iterable[ImageRef], ledger: Ledger) -> Iterator[ImageRef]:
    """Yield the pictures that have no row in `ledger`; see `seefood.results.ledger.read_ledger`.

    Raises `UsageError` at once for another ledger, and for one picture in place of several.
    """
    check_iterable(images)
    if not isinstance(ledger, Ledger):
        raise UsageError(
            f"{shown(ledger)} is no ledger; read that of an output with `read_ledger(part.uri for "
            'part in list_parts(parse_location("s3://labels")))`'
        )
    return (ref for ref in images if ref not in ledger)


class SkipDone(beam.PTransform):
    """Leaves out pictures that have a row of this model in an output.

        new = images | SkipDone("s3://labels", "hotdog")

    Elements are those of `ClassifyImages`; those with a URI become `ImageRef`, with the entity tag
    that their rows are found by. Each worker process reads the rows when its first picture comes,
    and keeps 16 bytes for each.
    """

    def __init__(
        self,
        output: str | Path,
        model: str | Path | Bundle | None = None,
        digest: str | None = None,
        *,
        fast: bool | float | None = None,
    ) -> None:
        """`model`, `digest` and `fast` are those of `ClassifyImages`.

        Raises `BundleError` or `UsageError` for a model or an output that is wrong.
        """
        super().__init__()
        bundle, _ = choose_bundle(model, digest, fast=fast)
        self._done = _Done(parse_location(output), bundle.digest)

    def expand(self, images: beam.PCollection) -> beam.PCollection:
        """Filter."""
        check_elements("SkipDone", images.element_type)
        new = images | "Skip" >> beam.ParDo(SkipDoFn(self._done))
        new.element_type = typehints.Union[images.element_type, ImageRef]
        return new


@dataclass(frozen=True, slots=True)
class _Done:
    """Whose rows are skipped."""

    output: Location
    digest: str

    def read(self) -> Ledger:
        """Read the rows that exist now. Raises `JobError`."""
        return read_ledger(part.uri for part in list_parts(self.output, self.digest))


class SkipDoFn(beam.DoFn):
    """Filters the elements of a bundle, a batch at a time: tags may need requests."""

    def __init__(self, done: _Done) -> None:
        self._done = done
        self._shared = Shared()

    def setup(self) -> None:
        """Read no rows yet."""
        self._ledger: Ledger | None = None

    def start_bundle(self) -> None:
        """Begin with an empty batch."""
        self._batch = Batch()
        self._elements: list[WindowedValue] = []

    def process(
        self,
        element: Any,
        timestamp: Any = beam.DoFn.TimestampParam,
        window: Any = beam.DoFn.WindowParam,
    ) -> Iterator[WindowedValue]:
        """Add an element to the batch; filter the batch when it is full."""
        self._batch.add(to_image(element))
        self._elements.append(WindowedValue(element, timestamp, (window,)))
        if self._batch.is_full:
            yield from self._filtered()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Filter the rest."""
        yield from self._filtered()

    def _filtered(self) -> Iterator[WindowedValue]:
        if self._ledger is None:  # held here: Beam keeps one shared object, RunInference's maybe
            self._ledger = self._shared.acquire(self._done.read, tag=self._done)
        elements, self._elements = self._elements, []
        for image, element in zip(complete_images(self._batch.take()), elements, strict=True):
            is_named = image.error is None and image.content is None
            if image.error is not None or image.ref not in self._ledger:
                yield element.with_value(image.ref) if is_named else element
