"""Reads what lies in an output: the rows of batch jobs and uploads, with corrections applied."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seefood.corrections import FINAL_COLUMNS, Corrections, apply_corrections, read_corrections
from seefood.errors import UsageError
from seefood.nearest import did_you_mean
from seefood.python.frames import as_frame
from seefood.results.columns import COLUMNS
from seefood.results.output_rows import OutputRows, open_rows
from seefood.storage.uris import parse_location

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_BY = "by"


def read(
    output: str | Path,
    *,
    digest: str | None = None,
    columns: Sequence[str] | None = None,
    corrected: bool = True,
) -> "StoredRows":
    """Return the rows of an output, one a picture: the newest one, whatever wrote it.

        frame = seefood.read("s3://labels/2026").to_pandas()

    `output` is what `seefood classify --output` took. `digest` keeps one model's rows; `columns`
    keeps some columns. With `corrected`, `label` is a person's where there is a correction,
    `score` is what the model gave to that label, and the column `by` is `person` or `model`.
    Raises `UsageError` if there are no rows or there is no such column, `JobError` if an object
    cannot be read.
    """
    known = [column.name for column in COLUMNS] + [_BY] * corrected
    for name in columns or ():
        if name not in known:
            near = did_you_mean(str(name), known)
            raise UsageError(
                f"the rows have no column {name!r}; choose from {', '.join(known)}{near}"
            )
    location = parse_location(output)
    rows = open_rows(location, digest)
    corrections = read_corrections(location) if corrected else None
    return StoredRows(rows, corrections, tuple(columns or known))


@dataclass(frozen=True, slots=True)
class StoredRows:
    """The rows of an output as they were when it was opened; can be read several times."""

    rows: OutputRows
    corrections: Corrections | None
    columns: tuple[str, ...]

    def __len__(self) -> int:
        return self.rows.count

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield each row as a dict of its columns."""
        for batch in self.batches():
            yield from batch.to_pylist()

    def batches(self) -> "Iterator[pa.RecordBatch]":
        """Yield the rows as Arrow batches of at most 8192; memory is bounded by one of them."""
        if self.corrections is None:
            yield from self.rows.batches(self.columns)
            return
        names = dict.fromkeys((*FINAL_COLUMNS, *self.columns))
        names.pop(_BY, None)
        for batch in apply_corrections(self.rows.batches(tuple(names)), self.corrections):
            yield batch.select(list(self.columns))

    def to_arrow(self) -> "pa.Table":
        """Return all rows as a table."""
        import pyarrow as pa  # noqa: PLC0415 (100 ms)

        return pa.Table.from_batches(self.batches())

    def to_pandas(self, **options: Any) -> "pd.DataFrame":
        """Return all rows as a data frame; `options` go to `pyarrow.Table.to_pandas`."""
        return as_frame(self.to_arrow(), options)
