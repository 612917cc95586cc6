"""From a table to labelled photos: which column is which, and what each line means."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from seefood.errors import UsageError
from seefood.records import ImageRef
from seefood_training.layouts.base import Labelled, LeftOut, Part, class_name, part_of
from seefood_training.layouts.file_lookup import FileLookup
from seefood_training.layouts.table_files import (
    Record,
    Table,
    by_normal_name,
    cell_text,
    without_header,
)

_FILES: Final = (
    "file_name", "filename", "file_path", "filepath", "filepaths", "image_path", "img_path",
    "image_name", "img_name", "image_file", "path", "paths", "image", "img", "photo", "picture",
    "file", "uri", "url", "s3_uri", "image_uri", "image_url", "key", "name", "image_id", "img_id",
    "id",
)  # fmt: skip
"""Columns that hold a photo's name, the most likely first."""
_LABELS: Final = (
    "label_name", "class_name", "classname", "category_name", "label", "labels", "class",
    "classes", "category", "target", "species", "breed", "variety", "tag", "ground_truth", "truth",
    "annotation", "y", "class_id", "label_id", "category_id",
)  # fmt: skip
_PARTS: Final = ("split", "set", "subset", "part", "partition", "fold", "data_set", "dataset")
LABEL_SEPARATORS: Final = ";|,"
"""Between the labels of one photo, in a cell that has several."""
_LOOKED_AT: Final = 20
"""Lines that decide which column holds the names."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the columns that are used."""

    file: str
    label: str
    part: str | None = None


@dataclass(frozen=True, slots=True)
class TablePhotos:
    """What a table says."""

    photos: tuple[Labelled, ...]
    left_out: tuple[LeftOut, ...]


def find_columns(
    table: Table, lookup: FileLookup, *, by_name: bool = False
) -> tuple[Table, Columns] | None:
    """Return the columns of `table`, which may turn out to have no header; None if unknown.

    A column is known by its name; the one with the photos' names also by its content, that is,
    files that exist. If one other column is left, it holds the labels, unless the column of the
    labels must be known `by_name`.
    """
    names = by_normal_name(table.columns)
    labels = [names[name] for name in _LABELS if name in names]
    is_named = any(name in names for name in _FILES)
    if not is_named and not labels and _exists(table.columns, lookup):
        table = without_header(table)
        names = by_normal_name(table.columns)
    file = find_file_column(table, lookup)
    if file is None:
        return None
    part = next((names[name] for name in _PARTS if name in names and names[name] != file), None)
    if part is not None and not _has_parts(table, part):
        part = None
    others = [column for column in table.columns if column not in (file, part)]
    label = next((column for column in labels if column != file), None)
    if label is None and len(others) == 1 and not by_name:
        label = others[0]
    return None if label is None else (table, Columns(file, label, part))


def find_file_column(table: Table, lookup: FileLookup) -> str | None:
    """Return the column with the photos' names: files that exist, or else known by its name."""
    names = by_normal_name(table.columns)
    known = [names[name] for name in _FILES if name in names]
    return next(
        (column for column in (*known, *table.columns) if _has_files(table, column, lookup)),
        next(iter(known), None),
    )


def names_photos(table: Table, lookup: FileLookup, *, by_name: bool = False) -> bool:
    """Whether `table` has labels for files that exist; see `find_columns`."""
    found = find_columns(table, lookup, by_name=by_name)
    if found is None:
        return False
    table, columns = found
    has_labels = any(cell_text(it.cells.get(columns.label)) for it in table.records[:_LOOKED_AT])
    return has_labels and _has_files(table, columns.file, lookup)


def read_labels(table: Table, lookup: FileLookup, part: Part = Part.TRAIN) -> TablePhotos:
    """Return the photos of `table`.

    `part` is that of lines that do not state one, in a column such as `split` or as the first
    folder of the name. A line without a label or whose file does not exist is left out. Raises
    `UsageError` if the columns are unknown, or if a photo has several labels or two parts.
    """
    found = find_columns(table, lookup)
    if found is None:
        header = ", ".join(map(repr, table.columns)) or "no column"
        raise UsageError(
            f"{table.name} has {header}; it must have a column file_name with the photos' names "
            "and a column label with their classes: rename the columns"
        )
    table, columns = found
    seen: dict[str, tuple[Labelled, int]] = {}
    left_out: list[LeftOut] = []
    for record in table.records:
        result = _read_line(record, table, columns, lookup)
        if isinstance(result, LeftOut):
            left_out.append(result)
            continue
        ref, label = result
        stated = _part(record, table, columns) or _part_of_path(record, columns)
        photo = Labelled(ref, label, stated or part)
        first, line = seen.setdefault(ref.uri, (photo, record.line))
        for what, one, other in (
            ("label", first.label, photo.label),
            ("part", str(first.part), str(photo.part)),
        ):
            if one != other:
                raise UsageError(
                    f"{table.name} gives {cell_text(record.cells[columns.file])!r} two {what}s, "
                    f"{one!r} (line {line}) and {other!r} (line {record.line}); keep one of the "
                    "lines"
                )
    _refuse_joined_labels(table, [photo for photo, _ in seen.values()])
    return TablePhotos(tuple(photo for photo, _ in seen.values()), tuple(left_out))


def _refuse_joined_labels(table: Table, photos: Iterable[Labelled]) -> None:
    """Raise `UsageError` if a label consists of other labels of the table, as in `cat;dog`."""
    labels = {photo.label: photo for photo in photos}
    for label, photo in labels.items():
        for separator in LABEL_SEPARATORS:
            parts = [part.strip() for part in label.split(separator)]
            if len(parts) > 1 and all(part in labels for part in parts):
                raise UsageError(
                    f"{table.name} gives {photo.ref.uri} several labels, {label!r}; training takes "
                    "one label for each photo: keep one of them, or, if they are one class "
                    f"together, write it without {separator!r}"
                )


def _read_line(
    record: Record, table: Table, columns: Columns, lookup: FileLookup
) -> tuple[ImageRef, str] | LeftOut:
    where = f"{table.name}, line {record.line}"
    name, label = (record.cells.get(column) for column in (columns.file, columns.label))
    if isinstance(label, list | dict):
        raise UsageError(
            f"line {record.line} of {table.name} has {label!r} in the column {columns.label!r}; "
            "write one label for each photo"
        )
    if not cell_text(name):
        return LeftOut(where, "it names no file")
    if not cell_text(label):
        return LeftOut(where, f"{cell_text(name)} has no label")
    found = lookup.find(cell_text(name))
    if isinstance(found, str):
        return LeftOut(where, f"{cell_text(name)}: {found}")
    return found, class_name(cell_text(label))


def _part(record: Record, table: Table, columns: Columns) -> Part | None:
    text = cell_text(record.cells.get(columns.part)) if columns.part else ""
    if not text:
        return None
    part = part_of(text)
    if part is None:
        raise UsageError(
            f"line {record.line} of {table.name} has {text!r} in the column {columns.part!r}; "
            "write train, val or test"
        )
    return part


def _part_of_path(record: Record, columns: Columns) -> Part | None:
    """Return the part that the outermost folder of the photo's name stands for."""
    folder, slash, _ = cell_text(record.cells[columns.file]).replace("\\", "/").partition("/")
    return part_of(folder) if slash else None


def _has_files(table: Table, column: str, lookup: FileLookup) -> bool:
    """Whether at least half of the first cells of `column` name files that exist."""
    cells = [cell_text(it.cells.get(column)) for it in table.records[:_LOOKED_AT]]
    return bool(cells) and 2 * sum(_exists([it], lookup) for it in cells) >= len(cells)


def _exists(cells: Iterable[str], lookup: FileLookup) -> bool:
    return any(cell and not isinstance(lookup.find(cell), str) for cell in cells)


def _has_parts(table: Table, column: str) -> bool:
    cells: Sequence[str] = [cell_text(it.cells.get(column)) for it in table.records]
    return any(part_of(cell) is not None for cell in cells)
