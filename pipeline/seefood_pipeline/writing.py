"""`WriteRows`: rows as the result objects of an output; and `write_rows`, without Beam."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import apache_beam as beam
from apache_beam.transforms.trigger import DefaultTrigger
from apache_beam.transforms.window import GlobalWindows
from apache_beam.typehints import typehints

from seefood.errors import UsageError
from seefood.records import Row
from seefood.results.formats import result_format
from seefood.results.newest import precedence
from seefood.results.totals import Totals, add_totals
from seefood.sanitize import shown
from seefood.storage.uris import Location, parse_location
from seefood.workers.chunks import write_chunk
from seefood_pipeline.images import ElementTypeError, check_iterable
from seefood_pipeline.picture_row import PictureRow, from_picture_row

_PARQUET: Final = "parquet"
_SHARDS: Final = 16
_ROWS: Final = 10_000
"""In one result object."""


class WriteRows(beam.PTransform):
    """Writes rows below an output, where `seefood.read`, `report` and later runs find them.

        images | ClassifyImages("hotdog") | WriteRows("s3://labels/2026")

    Exactly once by content: an object's name depends on its pictures and their model alone, and its
    pictures on a hash of their URIs, so a bundle that a runner repeats, in whatever order, writes
    the same objects with the same rows. Returns the `Totals` of each object. Within one window (a
    pane of it) a picture has one row. Writing is atomic, object by object.
    """

    def __init__(
        self, output: str | Path | Location, *, file_format: str = _PARQUET, shards: int = _SHARDS
    ) -> None:
        """`shards` is the number of objects for each model and window, if there are enough rows.

        The rows of a shard must fit into memory. Raises `UsageError` for an output or a format that
        is wrong.
        """
        super().__init__()
        self._output = output if isinstance(output, Location) else parse_location(output)
        self._format = result_format(file_format).name
        if not isinstance(shards, int) or shards < 1:
            raise UsageError(f"shards is {shards!r}; WriteRows needs a number, at least 1")
        self._shards = shards

    def expand(self, rows: beam.PCollection | tuple[beam.PCollection, ...]) -> beam.PCollection:
        """Group the rows, unless they are in chunks, and write them; `Classified` has two kinds."""
        if isinstance(rows, tuple):
            rows = rows | "Flatten" >> beam.Flatten()
        if not _is(rows.element_type, list[Row]):
            _check(rows)
            rows = (
                rows
                | "Add keys" >> beam.Map(_with_key, self._shards)
                | "Group" >> beam.GroupByKey()
                | "Sort" >> beam.FlatMap(lambda group: in_objects(group[1]))
            )
        return rows | "Write" >> beam.Map(
            write_chunk, self._output, self._format
        ).with_output_types(Totals)


def write_rows(rows: Iterable[Any], output: str | Path, *, file_format: str = _PARQUET) -> Totals:
    """Write `rows`, `Row` or `PictureRow`, of any models, below `output`; return their counts.

    Idempotent: the same pictures are the same objects. Atomic object by object. Raises `UsageError`
    for an output or a format that is wrong, `JobError` if it cannot be written.
    """
    check_iterable(rows)
    location, name = parse_location(output), result_format(file_format).name
    by_model: dict[str, list[Row]] = {}
    for row in map(_as_row, rows):
        by_model.setdefault(row.model_digest, []).append(row)
    return add_totals(
        write_chunk(chunk, location, name)
        for model_rows in by_model.values()
        for chunk in in_objects(model_rows)
    )


def in_objects(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield the rows of a group in the objects that they are written as: sorted, each once.

    Of several rows of a picture `seefood.results.newest` decides.
    """
    ascending = sorted(rows, key=precedence)
    newest = {(row.uri, row.etag, row.version_id or ""): row for row in ascending}
    ordered = [newest[key] for key in sorted(newest)]
    for at in range(0, len(ordered), _ROWS):
        yield ordered[at : at + _ROWS]


def _with_key(element: Any, shards: int) -> tuple[tuple[str, int], Row]:
    row = _as_row(element)
    identity = hashlib.blake2b(row.uri.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (row.model_digest, int.from_bytes(identity, "big") % shards), row


def _as_row(row: Any) -> Row:
    if isinstance(row, Row):
        return row
    try:
        return from_picture_row(row)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{shown(row)} is no row ({error}); WriteRows takes the rows of ClassifyImages"
        ) from error


def _check(rows: beam.PCollection) -> None:
    if not any(_is(rows.element_type, kind) for kind in (PictureRow, Row, Any)):
        raise ElementTypeError(
            f"WriteRows cannot take elements of {rows.element_type!r}; it takes the rows of "
            "ClassifyImages"
        )
    windowing = rows.windowing
    is_endless = not rows.is_bounded and isinstance(windowing.windowfn, GlobalWindows)
    if is_endless and isinstance(windowing.triggerfn, DefaultTrigger):
        raise UsageError(
            "WriteRows would wait forever for the end of an unbounded PCollection; put "
            "beam.WindowInto(beam.window.FixedWindows(60)) before it"
        )


def _is(element_type: Any, kind: Any) -> bool:
    """Whether Beam knows that elements are of `kind`."""
    known, wanted = typehints.normalize(element_type), typehints.normalize(kind)
    if typehints.Any in (known, wanted):
        return bool(known == wanted)
    return bool(typehints.is_consistent_with(known, wanted))
