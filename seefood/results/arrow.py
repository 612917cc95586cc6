"""Rows as Arrow record batches. pyarrow is imported when it is first needed: it takes 100 ms."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from seefood.records import Row, Status
from seefood.results.columns import COLUMNS, LABELS, SCORED_LABELS, Column, row_from_json

if TYPE_CHECKING:
    import pyarrow as pa

_INT32: Final = frozenset({"width", "height", "jpeg_quality"})
"""Integer columns of 32 bits; the others have 64."""


def arrow_schema(names: Sequence[str] | None = None) -> "pa.Schema":
    """Return the columns of the results as an Arrow schema, or only the columns `names`."""
    import pyarrow as pa  # noqa: PLC0415

    types = {
        str: pa.string(),
        int: pa.int64(),
        float: pa.float32(),
        SCORED_LABELS: pa.list_(pa.struct([("label", pa.string()), ("score", pa.float32())])),
        LABELS: pa.list_(pa.string()),
        Status: pa.string(),
        datetime: pa.timestamp("ms", tz="UTC"),
    }
    fields = {
        column.name: pa.field(
            column.name,
            pa.int32() if column.name in _INT32 else types[column.kind],
            column.is_nullable or column.kind is datetime,  # as the first release wrote it
        )
        for column in COLUMNS
    }
    return pa.schema([fields[name] for name in names or fields])


def batch_of(rows: Sequence[Row], names: Sequence[str] | None = None) -> "pa.RecordBatch":
    """Return `rows` as one record batch of `arrow_schema(names)`."""
    import pyarrow as pa  # noqa: PLC0415

    columns = [column for column in COLUMNS if names is None or column.name in names]
    values = {column.name: [_value(column, row) for row in rows] for column in columns}
    schema = arrow_schema(names)
    return pa.RecordBatch.from_pydict({name: values[name] for name in schema.names}, schema=schema)


def rows_of(batch: "pa.RecordBatch") -> Iterator[Row]:
    """Yield the rows of a batch that has all required columns. Raises as `row_from_json` does."""
    return map(row_from_json, batch.to_pylist())


def conform(batch: "pa.RecordBatch", names: Sequence[str]) -> "pa.RecordBatch":
    """Return the columns `names` of `batch` in the types of `arrow_schema`.

    A nullable column that is absent has nulls. Raises `ValueError` for a required column that is
    absent or has nulls, and for a type that cannot be converted.
    """
    import pyarrow as pa  # noqa: PLC0415

    schema = arrow_schema(names)
    required = {column.name for column in COLUMNS if not column.is_nullable}
    arrays = []
    for field in schema:
        if field.name not in batch.schema.names:
            if field.name in required:
                raise ValueError(f"it has no column {field.name}")
            arrays.append(pa.nulls(batch.num_rows, field.type))
            continue
        values = batch.column(field.name)
        if values.null_count and field.name in required:
            raise ValueError(f"its column {field.name} has nulls")
        arrays.append(values if values.type == field.type else values.cast(field.type, safe=False))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _value(column: Column, row: Row) -> Any:
    value = getattr(row, column.name)
    if value is None:
        return None
    if column.kind == SCORED_LABELS:
        return [{"label": label, "score": score} for label, score in value]
    if column.kind == LABELS:
        return list(map(_encodable, value))
    if column.kind is str:
        return _encodable(value)
    return str(value) if column.kind is Status else value


def _encodable(text: str) -> str:
    """Return `text`, a decoder's message for instance, without lone surrogates."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
