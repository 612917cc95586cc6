"""Parquet, compressed with Zstandard.

Reads rewritten results of other tools as well, whose string and time types may differ.
"""

import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from seefood.records import Row, Status
from seefood.results.arrow import batch_of, conform, rows_of
from seefood.results.columns import COLUMNS, Column
from seefood.results.formats.base import BATCH_ROWS, ResultFormat

if TYPE_CHECKING:
    import pyarrow as pa

_ARROW_NAMES: Final = {str: ("string",), datetime: ("timestamp",), Status: ("string",)}
"""Words that the name of a column's Arrow type must contain, by the column's kind."""


class Parquet(ResultFormat):
    """Apache Parquet. pyarrow is imported when it is first needed: it takes 100 ms."""

    name = "parquet"

    def encode(self, rows: Sequence[Row]) -> bytes:
        """See `ResultFormat.encode`."""
        import pyarrow as pa  # noqa: PLC0415

        return _written(pa.Table.from_batches([batch_of(rows)]))

    def decode(self, data: bytes) -> Iterator[Row]:
        """See `ResultFormat.decode`."""
        import pyarrow.parquet as pq  # noqa: PLC0415

        for batch in pq.ParquetFile(io.BytesIO(data)).iter_batches(1024):
            yield from rows_of(batch)

    def read_columns(self, data: bytes, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """See `ResultFormat.read_columns`."""
        import pyarrow.parquet as pq  # noqa: PLC0415

        table = pq.ParquetFile(io.BytesIO(data)).read(columns=list(names))
        columns = [column for column in COLUMNS if column.name in names]
        values = {column.name: _checked(column, table) for column in columns}
        return zip(*(values[name] for name in names), strict=True)

    def read_batches(self, data: bytes, names: Sequence[str]) -> "Iterator[pa.RecordBatch]":
        """See `ResultFormat.read_batches`; reads only the columns `names`."""
        import pyarrow.parquet as pq  # noqa: PLC0415

        file = pq.ParquetFile(io.BytesIO(data))
        present = [name for name in names if name in file.schema_arrow.names]
        for batch in file.iter_batches(BATCH_ROWS, columns=present):
            yield conform(batch, names)

    def count(self, data: bytes) -> int:
        """See `ResultFormat.count`; reads the metadata only."""
        import pyarrow.parquet as pq  # noqa: PLC0415

        return int(pq.read_metadata(io.BytesIO(data)).num_rows)

    def merge(self, parts: Sequence[bytes]) -> bytes:
        """See `ResultFormat.merge`; sorted by URI, for readers that skip row groups."""
        import pyarrow as pa  # noqa: PLC0415
        import pyarrow.parquet as pq  # noqa: PLC0415

        tables = [pq.read_table(io.BytesIO(data)) for data in parts]
        if not all(table.schema.equals(tables[0].schema) for table in tables):
            return super().merge(parts)  # written before a column was added, or by another tool
        return _written(pa.concat_tables(tables).sort_by("uri"))


def _written(table: "pa.Table") -> bytes:
    import pyarrow.parquet as pq  # noqa: PLC0415

    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _checked(column: Column, table: "pa.Table") -> list[Any]:
    """Return a column's values. Raises `ValueError` for another type, or for nulls not allowed."""
    if column.name not in table.column_names:
        if column.is_nullable:
            return [None] * table.num_rows
        raise ValueError(f"it has no column {column.name}")
    values = table[column.name]
    kind = str(values.type)
    if kind != "null" and not any(name in kind for name in _ARROW_NAMES.get(column.kind, ("",))):
        raise ValueError(f"its column {column.name} is of {kind}")
    if values.null_count and not column.is_nullable:
        raise ValueError(f"its column {column.name} has nulls")
    return list(values.to_pylist())
