"""`DATA/train/<class>/…`, `DATA/val/<class>/…`, `DATA/test/<class>/…`: parts with classes inside.

The names are those that people use (`parts`), alone or among other words, as in `seg_train`. A part
may have a table of labels instead of class folders: inside it, as Hugging Face has it, or beside it
with its name (`test.csv`).
"""

from collections.abc import Sequence
from typing import Final

from seefood.errors import UsageError
from seefood_training.layouts.base import Found, Layout, Listing, some
from seefood_training.layouts.class_folders import (
    MORE_FOLDERS,
    check_no_class_is_empty,
    labelled_folders,
    nested_note,
)
from seefood_training.layouts.parts import Part, part_in, part_of
from seefood_training.layouts.tables_in_folder import has_tables, part_tables, read_tables
from seefood_training.layouts.unused import unused_notes

_BETWEEN: Final = ("data", "images", "img", "imgs", "photos", "pictures")
"""Folders that people put between a part and its classes."""


def _classes(paths: Sequence[str], skip: int = 1) -> set[str]:
    return {path.split("/")[skip] for path in paths if path.count("/") > skip}


def _skip(folder: str, paths: Sequence[str]) -> int:
    """Return how many folders stand before the classes: two in `train/train/<class>/…`."""
    names = {path.split("/")[1] for path in paths}
    is_deep = all(path.count("/") > 2 for path in paths)
    if len(names) != 1 or not is_deep:
        return 1
    (name,) = names
    is_between = name == folder or name.lower() in _BETWEEN or part_of(name) is not None
    return 2 if is_between else 1


def _is_parts(listing: Listing) -> bool:
    """Whether all folders are named as parts, or a folder that is has the classes of another one.

    Names with a part among other words count only with two of them: there are test tubes.
    """
    folders = listing.top_folders()
    if folders and all(part_of(name) is not None for name in folders):
        return any(map(_classes, folders.values())) or not has_tables(listing)
    inside = {name: _classes(paths, _skip(name, paths)) for name, paths in folders.items()}
    parts = {name: part_in(name) for name in folders}
    named = [name for name, part in parts.items() if part is not None]
    return any(
        inside[one] & inside[other]
        for one in named
        for other in folders
        if parts[one] is not parts[other] and (parts[other] is not None or part_of(one) is not None)
    )


def _read(listing: Listing) -> Found:
    folders = listing.top_folders()
    if other := [name for name in folders if part_in(name) is None]:
        parts = [name for name in folders if name not in other]
        raise UsageError(
            f"{listing.data} has {', '.join(parts)} with classes inside, and also the folder "
            f"{other[0]!r}; move that folder away, or give one of the others (if {parts[0]!r} is a "
            "class itself, rename it)"
        )
    check_no_class_is_empty(listing, 1)
    found = [_part(listing, name, paths) for name, paths in folders.items()]
    names = " and ".join(f"{name}/" for name in folders)
    return Found(
        tuple(photo for each in found for photo in each.photos),
        f"{names} with {' and '.join(dict.fromkeys(each.layout for each in found))}",
        tuple(it for each in found for it in each.left_out),
        (*unused_notes(listing), *(note for each in found for note in each.notes)),
        found[0].more_classes,
    )


def _part(listing: Listing, folder: str, paths: Sequence[str]) -> Found:
    part = part_in(folder)
    assert part is not None  # noqa: S101 (the caller has no others)
    tables = part_tables(listing, folder, part, has_classes=bool(_classes(paths)))
    if tables:
        return read_tables(listing, tables, paths, part)
    skip = _skip(folder, paths)
    loose = [path for path in paths if path.count("/") == skip]
    if loose and part is Part.TRAIN and len(loose) == len(paths):
        raise UsageError(
            f"{listing.data} has {len(loose):,} files directly in {folder}/, such as "
            f"{loose[0].split('/')[-1]!r}: which class are they? Put them into one folder per "
            f"class in {folder}/, or list them in a {folder}.csv with the columns file_name and "
            "label"
        )
    notes = nested_note(listing, paths, skip)
    if loose:
        note = f"files in no class folder have no label and are not used: {some(loose)}"
        notes = (*notes, note)
    photos = labelled_folders(listing, paths, part, skip=skip)
    return Found(tuple(photos), "one folder per class", notes=notes, more_classes=MORE_FOLDERS)


PART_FOLDERS: Final = Layout("part-folders", _is_parts, _read)
