"""Which column of a table holds the photos' names, their labels, and the part that each is in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from seefood.errors import UsageError
from seefood_training.layouts.file_lookup import FileLookup
from seefood_training.layouts.parts import Part, part_in, part_of
from seefood_training.layouts.table_files import (
    Record,
    Table,
    by_normal_name,
    cell_text,
    without_header,
)

_FILES: Final = (
    "file_name", "filename", "file_path", "filepath", "filepaths", "image_path", "img_path",
    "image_name", "img_name", "image_file", "image_filename", "image_file_name", "fname", "path",
    "paths", "image", "img", "photo", "picture", "file", "uri", "url", "s3_uri", "image_uri",
    "image_url", "source_ref", "key", "name", "image_id", "img_id", "id",
)  # fmt: skip
"""Columns that hold a photo's name, the most likely first."""
_LABELS: Final = (
    "label_name", "label_text", "class_name", "classname", "class_label", "category_name", "label",
    "labels", "class", "classes", "category", "target", "species", "breed", "variety", "tag",
    "ground_truth", "truth", "annotation", "y", "class_id", "label_id", "category_id",
)  # fmt: skip
_PARTS: Final = (
    "split", "set", "subset", "part", "partition", "usage", "fold", "data_set", "dataset",
)  # fmt: skip
_FLAGS: Final = {
    "is_train": (Part.TRAIN, Part.TEST),
    "is_training": (Part.TRAIN, Part.TEST),
    "is_training_image": (Part.TRAIN, Part.TEST),
    "is_valid": (Part.VALIDATION, None),
    "is_val": (Part.VALIDATION, None),
    "is_validation": (Part.VALIDATION, None),
    "is_test": (Part.TEST, None),
}
"""Columns of yes and no, and the part that each of the two means."""
TRUE: Final = frozenset({"1", "true", "yes", "y", "x"})
FALSE: Final = frozenset({"", "0", "false", "no", "n"})
_NO_PART: Final = "unassigned"
"""What Vertex AI's tables say of photos in no part."""
_LOOKED_AT: Final = 20
"""Lines that decide which column holds the names."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the columns that are used."""

    file: str
    label: str | None
    """None if each label has a column of its own."""
    labels: tuple[str, ...] = ()
    """The columns of 1 and 0, one for each label."""
    part: str | None = None
    flags: tuple[tuple[str, tuple[Part, Part | None]], ...] = ()
    """Columns of yes and no, and the part that each of the two means."""
    unused: str | None = None
    """A column that is called as if it held parts, and does not."""

    def text(self, record: Record, table: str) -> str:
        """Return the label of a line as it is written; empty if it has none.

        Raises `UsageError` if the line gives its photo several labels.
        """
        if self.label is not None:
            value = record.cells.get(self.label)
            if isinstance(value, list) and len(value) == 1:
                (value,) = value
            if isinstance(value, list | dict):
                raise UsageError(
                    f"line {record.line} of {table} has {value!r} in the column {self.label!r}; "
                    "write one label for each photo"
                )
            return cell_text(value)
        own = [label for label in self.labels if _flag(record, label)]
        if len(own) > 1:
            raise UsageError(
                f"line {record.line} of {table} has 1 for {own[0]!r} and for {own[1]!r}; training "
                "takes one label for each photo"
            )
        return "".join(own)

    def stated_part(self, record: Record, table: str) -> Part | None:
        """Return the part that a line states. Raises `UsageError` for a word that is no part."""
        for column, (yes, no) in self.flags:
            if (stated := yes if _flag(record, column) else no) is not None:
                return stated
        text = cell_text(record.cells.get(self.part)) if self.part else ""
        if not text or text.lower() == _NO_PART:
            return None
        part = part_in(text)
        if part is None:
            raise UsageError(
                f"line {record.line} of {table} has {text!r} in the column {self.part!r}; "
                "write train, val or test"
            )
        return part


def find_columns(
    table: Table, lookup: FileLookup, *, by_name: bool = False
) -> tuple[Table, Columns] | None:
    """Return the columns of `table`, which may turn out to have no header; None if unknown.

    A column is known by its name; the one with the photos' names also by its content, that is,
    files that exist, and so is one that holds nothing but parts. If one other column is left, it
    holds the labels; if all that are left hold 1 and 0, each is a label. That is not so where the
    column of the labels must be known `by_name`.
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
    flags = tuple((names[name], parts) for name, parts in _FLAGS.items() if name in names)
    called = [names[name] for name in _PARTS if name in names and names[name] != file]
    part = next((column for column in called if _has_parts(table, column)), None)
    unused = next(iter(called), None) if part is None and not flags else None
    used = {file, part, *(column for column, _ in flags)}
    others = [column for column in table.columns if column not in used]
    if part is None and not table.has_header:
        part = next((column for column in others if _has_only_parts(table, column)), None)
        others = [column for column in others if column != part]
    label = next((column for column in labels if column != file), None)
    if label is None and len(others) == 1 and not by_name:
        label = others[0]
    own = tuple(column for column in others if _is_flag(table, column))
    if label is not None:
        _check_labels_hold(table)
        unused = None if unused == label else unused
        return table, Columns(file, label, (), part, flags, unused)
    if by_name or not _is_one_hot(table, own):
        return None
    return table, Columns(file, None, own, part, flags, unused)


def find_file_column(table: Table, lookup: FileLookup) -> str | None:
    """Return the column with the photos' names: files that exist, or else known by its name."""
    names = by_normal_name(table.columns)
    known = [names[name] for name in _FILES if name in names]
    return next(
        (column for column in (*known, *table.columns) if has_files(table, column, lookup)),
        next(iter(known), None),
    )


def names_photos(table: Table, lookup: FileLookup, *, by_name: bool = False) -> bool:
    """Whether `table` has labels for files that exist; see `find_columns`."""
    found = find_columns(table, lookup, by_name=by_name)
    if found is None:
        return False
    table, columns = found
    first = table.records[:_LOOKED_AT]
    has_labels = columns.label is None or any(
        cell_text(it.cells.get(columns.label)) for it in first
    )
    return has_labels and has_files(table, columns.file, lookup)


def has_files(table: Table, column: str, lookup: FileLookup) -> bool:
    """Whether at least half of the first cells of `column` name files that exist."""
    cells = [cell_text(it.cells.get(column)) for it in table.records[:_LOOKED_AT]]
    return bool(cells) and 2 * sum(_exists([it], lookup) for it in cells) >= len(cells)


def _exists(cells: Iterable[str], lookup: FileLookup) -> bool:
    return any(cell and not isinstance(lookup.find(cell), str) for cell in cells)


def _has_parts(table: Table, column: str) -> bool:
    return any(part_in(text) is not None for text in _texts(table, column))


def _has_only_parts(table: Table, column: str) -> bool:
    texts = set(_texts(table, column))
    return all(part_of(text) is not None or text.lower() == _NO_PART for text in texts)


def _is_flag(table: Table, column: str) -> bool:
    return {text.lower() for text in _texts(table, column)} <= TRUE | FALSE


def _is_one_hot(table: Table, columns: Sequence[str]) -> bool:
    """Whether there is a column for each label: of most photos exactly one of them is yes."""
    counts = [sum(_flag(record, column) for column in columns) for record in table.records]
    return len(columns) > 1 and 2 * counts.count(1) > len(counts)


def _flag(record: Record, column: str) -> bool:
    return cell_text(record.cells.get(column)).lower() in TRUE


def _check_labels_hold(table: Table) -> None:
    """Raise `UsageError` for a line that says, as Open Images does, that its label does not hold.

    There, a confidence of 0 is a person's no.
    """
    names = by_normal_name(table.columns)
    column = names.get("confidence")
    if column is None or "source" not in names:
        return
    for record in table.records:
        if cell_text(record.cells.get(column)) == "0":
            raise UsageError(
                f"line {record.line} of {table.name} has 0 in the column {column!r}, so its label "
                "does not hold; remove such lines"
            )


def _texts(table: Table, column: str) -> list[str]:
    return [cell_text(it.cells.get(column)) for it in table.records]
