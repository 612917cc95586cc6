"""From a table to labelled photos: what each line means."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from seefood.errors import UsageError
from seefood.records import ImageRef
from seefood_training.layouts.base import Labelled, LeftOut, class_name
from seefood_training.layouts.file_lookup import FileLookup
from seefood_training.layouts.parts import Part, part_of
from seefood_training.layouts.table_columns import Columns, find_columns
from seefood_training.layouts.table_files import Record, Table, cell_text

LABEL_SEPARATORS: Final = ";|,"
"""Between the labels of one photo, in a cell that has several."""


@dataclass(frozen=True, slots=True)
class TablePhotos:
    """What a table says."""

    photos: tuple[Labelled, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...] = ()


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
    lookup.moved.clear()
    seen: dict[str, tuple[Labelled, int]] = {}
    left_out: list[LeftOut] = []
    for record in table.records:
        result = _read_line(record, table, columns, lookup)
        if isinstance(result, LeftOut):
            left_out.append(result)
            continue
        ref, label = result
        stated = columns.stated_part(record, table.name) or _part_of_path(record, columns)
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
    photos = tuple(photo for photo, _ in seen.values())
    _refuse_joined_labels(table, photos)
    notes = _unused_note(table, columns) + _moved_note(table, lookup)
    return TablePhotos(photos, tuple(left_out), notes)


def _unused_note(table: Table, columns: Columns) -> tuple[str, ...]:
    if columns.unused is None:
        return ()
    note = (
        f"the column {columns.unused!r} of {table.name} is not used: it has none of the words "
        "train, val and test"
    )
    return (note,)


def _moved_note(table: Table, lookup: FileLookup) -> tuple[str, ...]:
    """Return a sentence if names of the table were found in another folder than they say."""
    if not lookup.moved:
        return ()
    name, path = next(iter(lookup.moved.items()))
    note = (
        f"{table.name} names folders that are not here; of such photos the file's name alone "
        f"counts ({len(lookup.moved):,}, such as {name!r}, which is {path!r})"
    )
    return (note,)


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
    name = cell_text(record.cells.get(columns.file))
    label = columns.text(record, table.name)
    if not name:
        return LeftOut(where, "it names no file")
    if not label:
        return LeftOut(where, f"{name} has no label")
    found = lookup.find(name)
    if isinstance(found, str):
        return LeftOut(where, f"{name}: {found}")
    return found, class_name(label)


def _part_of_path(record: Record, columns: Columns) -> Part | None:
    """Return the part that the outermost folder of the photo's name stands for."""
    folder, slash, _ = cell_text(record.cells[columns.file]).replace("\\", "/").partition("/")
    return part_of(folder) if slash else None
