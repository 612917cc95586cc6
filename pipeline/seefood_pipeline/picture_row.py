"""Rows with a Beam schema, which BigQuery, Parquet, JSON and SQL sinks take."""

from typing import Any, Final, NamedTuple, Optional

import apache_beam as beam

from seefood.records import Row, Status
from seefood.results.columns import COLUMNS, LABELS, SCORED_LABELS, Column, row_from_json


class ScoredLabel(NamedTuple):
    """A label and its probability, in [0, 1]."""

    label: str
    score: float


# Beam's Arrow conversion takes no time type, so the time is text in ISO 8601. `Optional`, because
# Beam's schemas do not know `X | None`.
_TYPES: Final[dict[Any, Any]] = {
    str: str,
    int: int,
    float: float,
    SCORED_LABELS: list[ScoredLabel],
    LABELS: list[str],
    Status: str,
}


def _field(column: Column) -> tuple[str, Any]:
    kind = _TYPES.get(column.kind, str)
    return column.name, Optional[kind] if column.is_nullable else kind  # noqa: UP045 (see above)


# mypy knows no NamedTuple whose fields are computed. They are those of the result files.
PictureRow: Any = NamedTuple("PictureRow", list(map(_field, COLUMNS)))  # type: ignore[misc]
PictureRow.__doc__ = """The row of one picture; the fields are the columns of result files.

`classified_at` is text, such as `2026-11-23T16:03:36.123Z`; `top` is a list of `ScoredLabel`. See
`seefood.records.Row` for the rest.
"""
PictureRow.__module__ = __name__  # where workers find it

for _kind in (ScoredLabel, PictureRow):
    beam.coders.registry.register_coder(_kind, beam.coders.RowCoder)


def to_picture_row(row: Row) -> Any:
    """Return `row` as a `PictureRow`."""
    document = row.as_json()
    if row.top is not None:
        document["top"] = [ScoredLabel(label, score) for label, score in row.top]
    return PictureRow(**document)


def from_picture_row(row: Any) -> Row:
    """Return the `Row` of a `PictureRow`. Raises `ValueError`, `KeyError` or `TypeError`."""
    return row_from_json(as_json(row))


def as_json(row: Any) -> dict[str, Any]:
    """Return a `PictureRow` as a JSON object, as the JSON lines of result files have it."""
    document: dict[str, Any] = row._asdict()
    if row.top is not None:
        document["top"] = [{"label": label, "score": score} for label, score in row.top]
    return document
