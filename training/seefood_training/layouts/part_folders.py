"""`DATA/train/<class>/…`, `DATA/val/<class>/…`, `DATA/test/<class>/…`: parts with classes inside.

The names are those that people use: train and training; val, valid, validation and dev; test,
testing, eval and evaluation. Case does not matter.
"""

from typing import Final

from seefood.errors import UsageError
from seefood_training.layouts.base import Found, Labelled, Layout, Listing, Part, part_of
from seefood_training.layouts.class_folders import (
    check_no_class_is_empty,
    labelled_folders,
    nested_note,
)
from seefood_training.layouts.tables_in_folder import has_tables


def _is_parts(listing: Listing) -> bool:
    """Whether all folders are named as parts, or at least two of them hold the same classes."""
    folders = listing.top_folders()
    parts = {name: paths for name, paths in folders.items() if part_of(name) is not None}
    if len(parts) == len(folders):
        has_classes = any(path.count("/") > 1 for paths in parts.values() for path in paths)
        return bool(parts) and (has_classes or not has_tables(listing))
    inside = [{p.split("/")[1] for p in paths if p.count("/") > 1} for paths in parts.values()]
    return len(inside) > 1 and bool(set.intersection(*inside))


def _read(listing: Listing) -> Found:
    folders = listing.top_folders()
    if other := [name for name in folders if part_of(name) is None]:
        raise UsageError(
            f"{listing.data} has {', '.join(sorted(set(folders) - set(other)))} with classes "
            f"inside, and also the folder {other[0]!r}; move that folder away, or give one of the "
            "others"
        )
    check_no_class_is_empty(listing, 1)
    photos: list[Labelled] = []
    notes = list(nested_note(listing, listing.files, skip=1))
    for name, paths in folders.items():
        part = part_of(name)
        assert part is not None  # noqa: S101 (`other` is empty)
        loose = [path for path in paths if path.count("/") == 1]
        if loose and part is Part.TRAIN and len(loose) == len(paths):
            raise UsageError(
                f"{listing.data} has {len(loose):,} files directly in {name}/, such as "
                f"{loose[0].split('/')[1]!r}: which class are they? Put them into one folder per "
                f"class in {name}/, or list them in a {name}.csv with the columns file_name and "
                "label"
            )
        if loose:
            notes.append(
                f"{name}/ has {len(loose):,} files in no class folder, such as "
                f"{loose[0].split('/')[1]!r}; they have no label and are not used"
            )
        photos += labelled_folders(listing, paths, part, skip=1)
    found = " and ".join(f"{name}/" for name in folders)
    return Found(
        tuple(photos),
        f"{found} with one folder per class",
        notes=tuple(notes),
    )


PART_FOLDERS: Final = Layout("part-folders", _is_parts, _read)
