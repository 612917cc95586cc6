"""CSV with a header line, safe to open in a spreadsheet.

A spreadsheet runs a cell that begins like a formula (OWASP, CSV injection), so text that does is
written with a leading apostrophe, which reading removes. `top` and `labels` are cells of
JSON; null is empty.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from seefood.records import Row
from seefood.results.columns import COLUMNS, LABELS, REQUIRED, SCORED_LABELS, Column, row_from_json
from seefood.results.formats.base import ResultFormat

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_MAX_CELL: Final = 2**31 - 1  # `top` may list every label; Python's default is 128 KiB


class Csv(ResultFormat):
    """Comma-separated values, RFC 4180, UTF-8."""

    name = "csv"

    def encode(self, rows: Sequence[Row]) -> bytes:
        """See `ResultFormat.encode`."""
        sink = io.StringIO(newline="")
        writer = csv.writer(sink)
        writer.writerow(column.name for column in COLUMNS)
        for row in rows:
            document = row.as_json()
            writer.writerow(_to_cell(column, document[column.name]) for column in COLUMNS)
        return sink.getvalue().encode("utf-8", "backslashreplace")

    def decode(self, data: bytes) -> Iterator[Row]:
        """See `ResultFormat.decode`."""
        csv.field_size_limit(_MAX_CELL)
        reader = csv.DictReader(io.StringIO(data.decode(), newline=""))
        if missing := REQUIRED.difference(reader.fieldnames or ()):
            raise ValueError(f"it has no column {min(missing)}")
        for cells in reader:
            yield row_from_json(
                {column.name: _from_cell(column, cells.get(column.name)) for column in COLUMNS}
            )

    def merge(self, parts: Sequence[bytes]) -> bytes:
        """See `ResultFormat.merge`."""
        headers = {part.partition(b"\n")[0] for part in parts}
        # Written before a column was added, or by another tool.
        if len(headers) > 1 or not all(part.endswith(b"\n") for part in parts):
            return super().merge(parts)
        return parts[0] + b"".join(part.partition(b"\n")[2] for part in parts[1:])


def _to_cell(column: Column, value: Any) -> Any:
    if value is None:
        return None
    if column.kind in (LABELS, SCORED_LABELS):
        return json.dumps(value, ensure_ascii=False)
    return guarded(value) if column.kind is str else value


def _from_cell(column: Column, text: str | None) -> Any:
    if text is None or (not text and column.is_nullable):
        return None
    if column.kind in (LABELS, SCORED_LABELS):
        return json.loads(text)
    if column.kind in (int, float):
        return column.kind(text)
    return unguarded(text) if column.kind is str else text


def guarded(text: str) -> str:
    """Return `text` with an apostrophe before what a spreadsheet would run."""
    return f"'{text}" if _is_formula(text) else text


def unguarded(text: str) -> str:
    """Return the text of which `guarded` made `text`."""
    return text[1:] if text.startswith("'") and _is_formula(text) else text


def _is_formula(text: str) -> bool:
    """Whether a spreadsheet would run `text`, or it is such a text behind apostrophes."""
    return text.lstrip("'").startswith(_FORMULA)
