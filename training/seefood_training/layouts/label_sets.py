"""Reads photos that have several labels, or none, from a table.

Three forms: a column for each label (1 or 0, yes or no); a column `labels` with the names separated
by `;`, `|` or `,`; JSON Lines whose `labels` is a list. A photo without a name in it has no label.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seefood.corrections import read_corrections
from seefood.errors import UsageError
from seefood.records import ImageRef
from seefood.storage import read
from seefood.storage.uris import parse_location
from seefood_training.layouts.base import LeftOut, class_name
from seefood_training.layouts.file_lookup import FileLookup
from seefood_training.layouts.labelled_tables import LABEL_SEPARATORS
from seefood_training.layouts.listing import list_files, read_location
from seefood_training.layouts.single_table import folder_of
from seefood_training.layouts.table_columns import FALSE, TRUE, find_file_column
from seefood_training.layouts.table_files import (
    Record,
    Table,
    by_normal_name,
    cell_text,
    is_table,
    read_table,
)

_TABLES: Final = ("test.csv", "labels.csv", "metadata.csv", "labels.jsonl", "metadata.jsonl")
_COLUMNS: Final = ("labels", "label", "tags", "classes")
_FORMS: Final = (
    "give a table with a column file_name, and a column labels with the names separated by `;` or "
    "a column of 1 and 0 for each label"
)


@dataclass(frozen=True, slots=True)
class LabelSets:
    """Photos and which labels hold for each."""

    photos: tuple[ImageRef, ...]
    truth: NDArray[np.bool_]
    """Of shape `(n, labels)`."""
    left_out: tuple[LeftOut, ...] = ()


def read_label_sets(data: str, labels: Sequence[str]) -> LabelSets:
    """Return the photos of `data`, a table or a folder (or URI) with one, for the bundle's labels.

    Raises `UsageError` for a table that is absent, damaged or has a label that is none of `labels`.
    """
    table, lookup = _table(data)
    column = find_file_column(table, lookup)
    if column is None:
        raise UsageError(f"{table.name} names no photos that exist; {_FORMS}")
    holds = _reader(table, labels)
    photos, rows, left_out = dict[str, ImageRef](), list[list[bool]](), list[LeftOut]()
    for record in table.records:
        name = cell_text(record.cells.get(column))
        found = lookup.find(name) if name else "it names no file"
        if isinstance(found, str):
            left_out.append(LeftOut(f"{table.name}, line {record.line}", found))
            continue
        row = holds(record)
        if found.uri in photos:
            raise UsageError(
                f"{table.name} has {name!r} twice (again in line {record.line}); keep one line for "
                "each photo, with all its labels"
            )
        photos[found.uri] = found
        rows.append(row)
    if not rows:
        raise UsageError(f"none of the photos in {table.name} exists; {_FORMS}")
    return LabelSets(tuple(photos.values()), np.asarray(rows, np.bool_), tuple(left_out))


def with_corrected_sets(found: LabelSets | None, output: str, labels: Sequence[str]) -> LabelSets:
    """Return the photos of `found` and the pictures with corrections below `output`.

    A photo that has a correction (same URI and entity tag) takes its labels. Raises `UsageError` if
    there are no corrections, or for a label that is none of `labels`.
    """
    corrections = read_corrections(parse_location(output))
    if not corrections:
        raise UsageError(
            f"there are no corrections below {output}; answer some with `seefood review {output}`"
        )
    rows: dict[ImageRef, list[bool]] = {}
    if found is not None:
        rows = dict(zip(found.photos, found.truth.tolist(), strict=True))
    places = {(ref.uri, ref.etag): ref for ref in rows}
    for key, correction in corrections.items():
        names = {class_name(name) for name in correction.names}
        if unknown := sorted(names - set(labels)):
            raise UsageError(
                f"the corrections of {output} have the label {unknown[0]!r}, which is none of the "
                f"bundle's labels ({_shown(labels)}); the bundle cannot be measured on it"
            )
        rows[places.get(key) or ImageRef(*key)] = [label in names for label in labels]
    left_out = () if found is None else found.left_out
    return LabelSets(tuple(rows), np.asarray(list(rows.values()), np.bool_), left_out)


def _table(data: str) -> tuple[Table, FileLookup]:
    location = read_location(data)
    if is_table(location.key):
        try:
            content = read(location)
        except FileNotFoundError as error:
            raise UsageError(f"there is no {data}; check the path") from error
        name = location.key.rpartition("/")[2]
        return read_table(content, name), FileLookup(folder_of(location))
    listing = list_files(data, location, nested=False)
    for name in _TABLES:
        if name in listing.files:
            content = read(parse_location(listing.files[name].uri))
            return read_table(content, name), FileLookup(location, listing.files)
    raise UsageError(
        f"{data} has no table of labels, and folders give a photo one label, where this model "
        f"gives it several: {_FORMS}"
    )


def _reader(table: Table, labels: Sequence[str]) -> Any:
    """Return the function from a record to a truth value for each label."""
    own = {class_name(column): column for column in table.columns}
    present = [label for label in labels if label in own]
    if len(present) == len(labels):
        return lambda record: [_is_true(record, own[label], table.name) for label in labels]
    names = by_normal_name(table.columns)
    column = next((names[name] for name in _COLUMNS if name in names), None)
    if column is None:
        missing = next(label for label in labels if label not in own)
        raise UsageError(f"{table.name} has no column {missing!r} and none called labels; {_FORMS}")
    return lambda record: _named(record, column, labels, table.name)


def _is_true(record: Record, column: str, name: str) -> bool:
    text = cell_text(record.cells.get(column)).lower()
    if text not in TRUE | FALSE:
        raise UsageError(
            f"line {record.line} of {name} has {text!r} in the column {column!r}; write 1 or 0"
        )
    return text in TRUE


def _named(record: Record, column: str, labels: Sequence[str], name: str) -> list[bool]:
    value = record.cells.get(column)
    if isinstance(value, list):
        parts = [cell_text(each) for each in value]
    else:
        text = cell_text(value)
        separator = next(
            (each for each in LABEL_SEPARATORS if each in text and text not in labels), None
        )
        parts = text.split(separator) if separator else [text]
    names = {class_name(part) for part in parts if part.strip()}
    if unknown := sorted(names - set(labels)):
        raise UsageError(
            f"line {record.line} of {name} has the label {unknown[0]!r}, which is none of the "
            f"bundle's labels ({_shown(labels)}); rename it or leave it out"
        )
    return [label in names for label in labels]


def _shown(labels: Sequence[str]) -> str:
    return ", ".join(labels[:10]) + (", …" if len(labels) > 10 else "")
