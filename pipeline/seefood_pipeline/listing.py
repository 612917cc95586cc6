"""`ListImages`: which pictures there are; and `list_images`, the same without Beam."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import apache_beam as beam

from seefood.errors import UsageError
from seefood.records import ImageRef
from seefood.runs.run_spec import RunSpec
from seefood.runs.sharding import Shard
from seefood.sanitize import shown
from seefood.sources.base import Source
from seefood.sources.filters import Selection, check_limit
from seefood.sources.listing import check_sources, list_sources
from seefood.sources.notes import ListingNotes
from seefood.sources.registry import parse_sources
from seefood.storage.uris import Location, parse_location


@dataclass(frozen=True, slots=True)
class Listing:
    """What is listed."""

    sources: tuple[Source, ...]
    output: Location | None = None
    """Result objects below it are left out."""
    selection: Selection = field(default_factory=Selection)
    limit: int | None = None
    """Take only this many; counted before the shard is applied."""
    shard: Shard | None = None

    def __post_init__(self) -> None:
        """Raise `UsageError` for values of another type."""
        check_limit(self.limit)
        for name, kind in (("selection", Selection), ("shard", Shard | None)):
            value = getattr(self, name)
            if not isinstance(value, kind):
                raise UsageError(f"{name} is {shown(value)}; give a {name.capitalize()}")

    @classmethod
    def of(cls, run: RunSpec) -> "Listing":
        """Return what `run` lists."""
        options = run.options
        return cls(run.sources, run.output, options.selection, options.limit, run.shard)


def list_images(
    listing: Listing | str | Path | Source, notes: ListingNotes | None = None
) -> Iterator[ImageRef]:
    """Yield the pictures of a listing, or of one source; each once.

    What could not be listed goes into `notes`.

    Lazy: listing continues while pictures are classified. Raises `UsageError` for a source that
    cannot be listed.
    """
    if not isinstance(listing, Listing):
        listing = Listing(parse_sources([listing]))
    refs = islice(
        list_sources(listing.sources, listing.output, listing.selection, notes), listing.limit
    )
    return refs if listing.shard is None else filter(listing.shard.__contains__, refs)


class ListImages(beam.PTransform):
    """Lists pictures: the first transform of a pipeline, a PCollection of `ImageRef`.

        images = pipeline | ListImages("s3://photos/2026/", "s3://photos/manifest.csv")

    One worker lists; add `beam.Reshuffle()` to spread what follows over the others.
    """

    def __init__(
        self,
        *sources: str | Path | Source,
        output: str | Path | None = None,
        selection: Selection = Selection(),  # noqa: B008 (a frozen value)
        limit: int | None = None,
        shard: Shard | None = None,
    ) -> None:
        """`sources` are what `seefood classify` takes: folders, files, globs, URIs, manifests.

        Result objects below `output` are left out; `selection`, `limit` and `shard` choose
        pictures. Raises `UsageError` for a source that is absent, empty or wrong.
        """
        super().__init__()
        if not sources:
            raise UsageError("ListImages lists nothing; give it a path, a URI or a manifest")
        parsed = parse_sources(sources)
        location = None if output is None else parse_location(output)
        self.listing = Listing(parsed, location, selection, limit, shard)
        check_sources(parsed, location)

    def expand(self, begin: beam.pvalue.PBegin) -> beam.PCollection:
        """List when the pipeline runs."""
        images = begin | "Start" >> beam.Impulse() | "List" >> beam.ParDo(ListDoFn(self.listing))
        images.element_type = ImageRef
        return images


class ListDoFn(beam.DoFn):
    """From anything to the pictures of a listing."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing

    def process(self, _: object) -> Iterator[ImageRef]:
        """Yield pictures while listing continues."""
        return list_images(self.listing)
