"""Reads tables of labels: CSV with any usual separator, JSON Lines, or one JSON document.

A table becomes records: the cells of a line by the names of the columns. A CSV without a header has
the columns `1`, `2` and so on.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from seefood.errors import UsageError

_SUFFIXES: Final = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")
_SEPARATORS: Final = ",;\t|"
_COMMENT: Final = "#"
_WORD_STARTS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WHOLE: Final = re.compile(r"-?\d+\.0+")
_BYTE_ORDER_MARKS: Final = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a table."""

    line: int
    """Counted from 1, with the header."""
    cells: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of labels as it was read."""

    name: str
    """For messages."""
    columns: tuple[str, ...]
    records: tuple[Record, ...]
    """Without empty lines."""
    has_header: bool = True


def is_table(name: str) -> bool:
    """Whether the name of a file is that of a table."""
    return name.lower().endswith(_SUFFIXES)


def read_table(data: bytes, name: str) -> Table:
    """Return the table in the bytes of the file `name`. Raises `UsageError` if it is damaged."""
    try:
        text = _decoded(data)
        if "\0" in text:
            raise UsageError(
                f"{name} is not UTF-8 text (it has bytes that are zero); save it as UTF-8"
            )
        if name.lower().endswith((".csv", ".tsv")):
            return _csv_table(text, name)
        return _json_table(text, name)
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{name} is not UTF-8 text (byte {error.start + 1}); save it as UTF-8"
        ) from error
    except (csv.Error, ValueError, RecursionError) as error:
        raise UsageError(f"{name} cannot be read: {error}; repair the file") from error


def without_header(table: Table) -> Table:
    """Return `table` with its first line as a record and the columns `1`, `2` and so on."""
    names = tuple(str(number) for number in range(1, len(table.columns) + 1))
    first = Record(1, dict(zip(names, table.columns, strict=True)))
    others = (
        Record(
            it.line, {new: it.cells.get(old) for new, old in zip(names, table.columns, strict=True)}
        )
        for it in table.records
    )
    return Table(table.name, names, (first, *others), has_header=False)


def _decoded(data: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            return data.decode(encoding)
    return data.decode()


def _csv_table(text: str, name: str) -> Table:
    if "\n" not in text:
        text = text.replace("\r", "\n")
    text = _without_comments(text)
    first = text.lstrip("\r\n").partition("\n")[0]
    if first.startswith("sep=") and len(first.strip()) == 5:  # Excel's own first line
        text, separator = text.partition("\n")[2], first[4]
    else:
        separator = max(_SEPARATORS, key=lambda it: _cells(first, it))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows = ((reader.line_num, row) for row in reader if any(cell.strip() for cell in row))
    columns = tuple(cell.strip() for cell in _without_empty_end(next(rows, (0, []))[1]))
    twice = {column for column in columns if column and columns.count(column) > 1}
    if twice:
        raise UsageError(f"{name} has two columns {min(twice)!r}; rename one of them")
    records = []
    for line, row in rows:
        if len(row) > len(columns) and any(cell.strip() for cell in row[len(columns) :]):
            raise UsageError(
                f"line {line} of {name} has {len(row)} cells and the first line {len(columns)}; "
                f"put a cell with a {separator!r} into quotes"
            )
        cells = {column: cell for column, cell in zip(columns, row, strict=False) if column}
        records.append(Record(line, cells))
    return Table(name, tuple(filter(None, columns)), tuple(records))


def _without_comments(text: str) -> str:
    """Return `text` with empty lines for the first lines that begin with `#`, and no others."""
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if line.strip() and not line.startswith(_COMMENT):
            break
        lines[at] = ""
    return "\n".join(lines)


def _without_empty_end(row: list[str]) -> list[str]:
    while row and not row[-1].strip():
        row = row[:-1]
    return row


def _cells(line: str, separator: str) -> int:
    return len(next(csv.reader([line], delimiter=separator), []))


def _json_table(text: str, name: str) -> Table:
    records, columns = [], dict[str, None]()
    for number, document in _documents(text, name):
        if not isinstance(document, dict):
            raise UsageError(
                f"line {number} of {name} is not a JSON object; write one such as "
                '{"file_name": "a.jpg", "label": "apple"}'
            )
        records.append(Record(number, document))
        columns.update(dict.fromkeys(document))
    return Table(name, tuple(columns), tuple(records))


def _documents(text: str, name: str) -> Iterator[tuple[int, Any]]:
    """Yield the records of JSON Lines or of one document with their numbers.

    People exchange the two suffixes, so the content decides what the suffix does not fit.
    """
    if name.lower().endswith(".json") or text.lstrip().startswith("["):
        try:
            yield from enumerate(_entries(json.loads(text), name), 1)
        except json.JSONDecodeError as error:
            if not error.msg.startswith("Extra data"):
                raise
        else:
            return
    lines = enumerate(text.split("\n"), 1)  # not splitlines: U+2028 may stand in a string
    yield from ((number, json.loads(line)) for number, line in lines if line.strip())


def _entries(document: object, name: str) -> Iterator[object]:
    """Yield the records of a whole JSON document: a list, or `{"a.jpg": "apple", …}`."""
    if isinstance(document, list):
        yield from document
    elif isinstance(document, dict) and all(
        isinstance(value, str | int | float) for value in document.values()
    ):
        yield from ({"file_name": key, "label": value} for key, value in document.items())
    else:
        raise UsageError(
            f'{name} is neither a list of objects nor {{"a.jpg": "apple", …}}; write one of them'
        )


def cell_text(value: object) -> str:
    """Return a cell as text without outer blanks; empty for None and for what is no number.

    Programs write whole numbers as `1.0` where a cell of the column is empty: that is `1`.
    """
    text = "" if value is None else str(value).strip()
    if _WHOLE.fullmatch(text):
        return text.partition(".")[0]
    return "" if text in {"nan", "NaN"} else text


def normal_name(column: str) -> str:
    """Return the name of a column in lower case with `_` between the words (`ImageID` has two)."""
    spaced = _WORD_STARTS.sub(" ", column)
    return "_".join(spaced.lower().replace("-", " ").replace("_", " ").split())


def by_normal_name(columns: Sequence[str]) -> dict[str, str]:
    """Return the names of `columns` by their normal names."""
    return {normal_name(column): column for column in reversed(columns)}
