"""The known layouts, in the order in which they are tried, and reading DATA by the first that fits.

A table that DATA names comes first, then what a folder says of itself: metadata, parts, a table
of labels. Folders of classes come last.
"""

from typing import Final

from seefood.errors import UsageError
from seefood_training.layouts.base import Found, Layout, Listing
from seefood_training.layouts.class_folders import CLASS_FOLDERS
from seefood_training.layouts.listing import list_files, read_location
from seefood_training.layouts.metadata import METADATA
from seefood_training.layouts.part_folders import PART_FOLDERS
from seefood_training.layouts.single_table import SINGLE_TABLE
from seefood_training.layouts.table_files import is_table
from seefood_training.layouts.tables_in_folder import TABLES_IN_FOLDER
from seefood_training.layouts.unused import unread_notes

LAYOUTS: Final[list[Layout]] = [
    SINGLE_TABLE,
    METADATA,
    PART_FOLDERS,
    TABLES_IN_FOLDER,
    CLASS_FOLDERS,
]


def register_layout(layout: Layout) -> None:
    """Try `layout` before the known ones."""
    LAYOUTS.insert(0, layout)


def find_photos(data: str, *, nested: bool = False) -> Found:
    """Return the labelled photos of `data`, a folder, a table, or the URI of either.

    With `nested`, each innermost folder is a class. Raises `UsageError` for data that is absent,
    that no layout recognises, or that contradicts its layout.
    """
    listing = list_files(data, read_location(data), nested=nested)
    for layout in LAYOUTS:
        if layout.recognises(listing):
            return layout.read(listing)
    raise UsageError(_unrecognised(listing))


def _unrecognised(listing: Listing) -> str:
    count = len(listing.files)
    content = f"{count:,} files" if count > 1 else "only one file" if count else "no file"
    tables = [name for name in listing.files if is_table(name) and "/" not in name]
    if tables:
        return (
            f"{listing.data} has {content}, no class folder with a photo, and no labels in "
            f"{' or '.join(tables)}; name the column of the photos file_name and that of their "
            "classes label"
        )
    told = unread_notes(listing)
    return (
        f"{listing.data} has {content} and no class folder with a photo; put the photos into one "
        "folder per class, or list them in a labels.csv with the columns file_name and label"
        + (f" ({'; '.join(told)})" if told else "")
    )
