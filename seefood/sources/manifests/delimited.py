"""A table as text: commas, semicolons, tabs, bars or spaces; with a header, without, or S3 Batch's.

Nothing is guessed in silence: what the columns mean is told by a header of known words, by
`--manifest-column`, or by cells that can only be names. Otherwise the list is refused.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final
from urllib.parse import unquote_plus

from seefood.sources.manifests.entries import (
    NAMES,
    EntryError,
    ListError,
    NoColumnError,
    has_known_suffix,
    is_like_a_name,
)
from seefood.sources.manifests.names import MAX_LINE, newline_of
from seefood.sources.manifests.opening import OpenList

_DELIMITERS: Final = (",", ";", "\t", "|")
_SAMPLE_ROWS: Final = 100
TABLES: Final = ("csv", "tsv", "tab", "psv")
"""Endings of the names of tables."""
# A bucket of S3; S3 Batch Operations takes one bucket in each manifest.
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]*")
_SEPARATOR: Final = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
"""The first line with which Excel is told the delimiter."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What the columns of a table are."""

    delimiter: str
    columns: tuple[str, ...]
    """Their names; `key` and `bucket` in S3 Batch Operations' tables."""
    header_rows: int
    """How many rows come before the first entry."""
    is_batch: bool = False


def read_delimited(opened: OpenList, column: str | None) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the cells of each row by column, with the number of its line.

    Raises `EntryError`, or `NoColumnError` if it is unknown which column holds names.
    """
    layout = find_layout(opened, column)
    csv.field_size_limit(MAX_LINE)
    with opened.text("" if newline_of(opened) == "\n" else "\r") as stream:
        if _SEPARATOR.match(opened.head_text):
            stream.readline()
        rows = csv.reader(stream, delimiter=layout.delimiter, strict=True)
        skipped = 1 if _SEPARATOR.match(opened.head_text) else 0
        yield from _entries(rows, layout, skipped)


def _entries(rows: Any, layout: Layout, lines_before: int) -> Iterator[tuple[int, dict[str, Any]]]:
    width, bucket, to_skip = len(layout.columns), "", layout.header_rows
    line = 1
    while True:
        line = rows.line_num + 1 + lines_before
        try:
            row = next(rows, None)
        except csv.Error as error:
            message = f"it is no row of a table ({error}); check its quotation marks"
            raise EntryError(line, message) from error
        if row is None:
            return
        if not row or (len(row) == 1 and not row[0].strip()):
            continue
        if to_skip:
            to_skip -= 1
            continue
        if len(row) > width or (len(row) < width and not layout.header_rows):
            raise EntryError(
                line,
                f"it has {len(row)} columns and the first line {width}; put names that contain "
                f"{layout.delimiter!r} in quotation marks",
            )
        record: dict[str, Any] = dict(zip(layout.columns, row, strict=False))
        if layout.is_batch:
            bucket = bucket or row[0]
            if row[0] != bucket:
                message = f"the bucket is {row[0]!r} and {bucket!r} before"
                raise EntryError(line, f"{message}; add the header line bucket,key")
            record["key"] = unquote_plus(row[1])
        yield line, record


def is_spaced(opened: OpenList) -> bool:
    """Whether each line is a name without spaces, spaces, and more, such as a class's number."""
    lines = [line.split() for line in opened.head_text.splitlines()[:_SAMPLE_ROWS] if line.strip()]
    if not opened.is_whole and 1 < len(lines) < _SAMPLE_ROWS:
        lines.pop()
    # The first word ends like a picture: a URI or a path alone may go on after a space.
    return bool(lines) and all(
        len(words) > 1
        and has_known_suffix(words[0])
        and not any(is_like_a_name(word) for word in words[1:])
        for words in lines
    )


def find_layout(opened: OpenList, column: str | None) -> Layout:
    """Return the layout of a table from its first rows. Raises `NoColumnError`."""
    text = opened.head_text
    if match := _SEPARATOR.match(text):
        delimiters: tuple[str, ...] = (match[1],)
        text = text[match.end() :]
    elif opened.suffix == "tsv":
        delimiters = ("\t", *(each for each in _DELIMITERS if each != "\t"))
    elif opened.suffix not in TABLES and is_spaced(opened):
        delimiters = (" ",)
    else:
        delimiters = _DELIMITERS
    known = {*NAMES, column} if column else set(NAMES)
    best: tuple[int, str] | None = None
    for delimiter in delimiters:
        first = next(iter(_sample(text, delimiter, opened)), [])
        cells = _lowered(first)
        wanted = {column} if column else known
        if wanted & set(cells) and (best is None or len(cells) > best[0]):
            best = len(cells), delimiter
    if best is not None:
        columns = tuple(_lowered(_sample(text, best[1], opened)[0]))
        if twice := [name for name in columns if columns.count(name) > 1 and name in known]:
            raise ListError(f"two of its columns are called {twice[0]!r}; rename one of them")
        return Layout(best[1], columns, 1)
    samples = {each: _sample(text, each, opened) for each in delimiters}
    delimiter = max(delimiters, key=lambda each: _common_width(samples[each]))
    rows = samples[delimiter]
    if not rows:
        return Layout(delimiter, ("uri",), 0)
    if column:
        raise NoColumnError(rows[0])
    return _without_header(delimiter, rows)


def _without_header(delimiter: str, rows: Sequence[Sequence[str]]) -> Layout:
    """Return the layout of rows whose first one holds no known word."""
    first = rows[0]
    if len(first) == 1:
        if not is_like_a_name(first[0]) and any(is_like_a_name(row[0]) for row in rows[1:] if row):
            raise NoColumnError(first)
        return Layout(delimiter, ("uri",), 0)
    if _is_batch(rows):
        return Layout(delimiter, ("bucket", "key", "version_id")[: len(first)], 0, is_batch=True)
    named = [number for number, cell in enumerate(first) if is_like_a_name(cell)]
    if len(named) != 1:
        raise NoColumnError(first)
    columns = [f"column {number + 1}" for number in range(len(first))]
    columns[named[0]] = "uri"
    return Layout(delimiter, tuple(columns), 0)


def _is_batch(rows: Sequence[Sequence[str]]) -> bool:
    """Whether all rows are `bucket,key` or `bucket,key,version`, with one bucket."""
    bucket = rows[0][0]
    if not _BUCKET.fullmatch(bucket) or is_like_a_name(bucket):
        return False
    if len(rows[0]) not in (2, 3) or any(row[0] != bucket or len(row) < 2 for row in rows):
        return False
    keys = [row[1] for row in rows]
    return "://" not in keys[0] and re.search("[./%]", keys[0]) is not None


def _sample(text: str, delimiter: str, opened: OpenList) -> list[list[str]]:
    """Return the first rows that are not blank, without one that is cut off."""
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    with suppress(csv.Error):  # told with its line when the whole list is read
        rows.extend(islice((row for row in reader if any(map(str.strip, row))), _SAMPLE_ROWS))
    if not opened.is_whole and len(rows) < _SAMPLE_ROWS and len(rows) > 1:
        rows.pop()
    return rows


def _common_width(rows: Sequence[Sequence[str]]) -> int:
    """Return how many columns all rows have; 1 if they differ."""
    widths = {len(row) for row in rows}
    return widths.pop() if len(widths) == 1 else 1


def _lowered(cells: Sequence[str]) -> list[str]:
    return [cell.strip().lower() for cell in cells]
