"""Reads tables of labels: CSV with any usual separator, JSON Lines, or one JSON document.

A table becomes records: the cells of a line by the names of the columns. A CSV without a header has
the columns `1`, `2` and so on.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from seefood.errors import UsageError

_SUFFIXES: Final = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")
_SEPARATORS: Final = ",;\t|"
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
    first = text.lstrip("\r\n").partition("\n")[0]
    if first.startswith("sep=") and len(first.strip()) == 5:  # Excel's own first line
        text, separator = text.partition("\n")[2], first[4]
    else:
        separator = max(_SEPARATORS, key=lambda it: _cells(first, it))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows = ((reader.line_num, row) for row in reader if any(cell.strip() for cell in row))
    _, header = next(rows, (0, []))
    columns = tuple(cell.strip() for cell in header)
    if len(set(columns)) != len(columns):
        raise UsageError(f"{name} has two columns of the same name; rename one of them")
    records = []
    for line, row in rows:
        if len(row) > len(columns):
            raise UsageError(
                f"line {line} of {name} has {len(row)} cells and the first line {len(columns)}; "
                f"put a cell with a {separator!r} into quotes"
            )
        records.append(Record(line, dict(zip(columns, row, strict=False))))
    return Table(name, columns, tuple(records))


def _cells(line: str, separator: str) -> int:
    return len(next(csv.reader([line], delimiter=separator), []))


def _json_table(text: str, name: str) -> Table:
    if name.lower().endswith(".json"):
        documents: Iterator[tuple[int, Any]] = enumerate(_entries(json.loads(text), name), 1)
    else:
        lines = enumerate(text.split("\n"), 1)  # not splitlines: U+2028 may stand in a string
        documents = ((number, json.loads(line)) for number, line in lines if line.strip())
    records, columns = [], dict[str, None]()
    for number, document in documents:
        if not isinstance(document, dict):
            raise UsageError(
                f"line {number} of {name} is not a JSON object; write one such as "
                '{"file_name": "a.jpg", "label": "apple"}'
            )
        records.append(Record(number, document))
        columns.update(dict.fromkeys(document))
    return Table(name, tuple(columns), tuple(records))


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
    """Return a cell as text without outer blanks; empty for None."""
    if value is None:
        return ""
    return str(value).strip()


def normal_name(column: str) -> str:
    """Return the name of a column in lower case with `_` between the words."""
    return "_".join(column.lower().replace("-", " ").replace("_", " ").split())


def by_normal_name(columns: Sequence[str]) -> dict[str, str]:
    """Return the names of `columns` by their normal names."""
    return {normal_name(column): column for column in reversed(columns)}
