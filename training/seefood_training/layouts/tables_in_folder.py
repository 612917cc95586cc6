"""`DATA/labels.csv` beside the photos, or `DATA/train.csv`, `val.csv` and `test.csv`.

A table counts if it has labels for photos of the folder. Names are relative to DATA; a photo is
also found by its name alone, with or without the suffix, if only one file has that name.
"""

from typing import Final

from seefood.errors import UsageError
from seefood.storage import read
from seefood.storage.uris import parse_location
from seefood_training.layouts.base import Found, Layout, Listing, Part, part_of
from seefood_training.layouts.file_lookup import FileLookup
from seefood_training.layouts.labelled_tables import names_photos, read_labels
from seefood_training.layouts.table_files import Table, is_table, read_table


def _tables(listing: Listing) -> list[Table]:
    """Return the tables with labels for photos.

    Where the folders may be classes, a damaged table is another file, and so is one whose column of
    labels has an unknown name: it may hold captions.
    """
    lookup = FileLookup(listing.location, listing.files)
    may_be_classes = len(listing.top_folders()) > 1
    tables = []
    for name, ref in listing.files.items():
        if "/" in name or not is_table(name):
            continue
        try:
            table = read_table(read(parse_location(ref.uri)), name)
        except UsageError:
            if may_be_classes:
                continue
            raise
        if names_photos(table, lookup, by_name=may_be_classes):
            tables.append(table)
    return tables


def has_tables(listing: Listing) -> bool:
    """Whether DATA has a table with labels for photos."""
    return any("/" not in name and is_table(name) for name in listing.files) and bool(
        _tables(listing)
    )


def _part_of(table: Table) -> Part | None:
    words = table.name.rpartition(".")[0].replace("-", "_").split("_")
    return next((part for word in words if (part := part_of(word)) is not None), None)


def _read(listing: Listing) -> Found:
    lookup = FileLookup(listing.location, listing.files)
    tables = _tables(listing)
    named = [table for table in tables if _part_of(table) is not None]
    if len(tables) > 1 and not named:
        raise UsageError(
            f"{listing.data} has the tables {', '.join(table.name for table in tables)}; give the "
            f"right one, such as {listing.data.rstrip('/')}/{tables[0].name}"
        )
    notes = tuple(
        f"{table.name} is not used, because {named[0].name} is there"
        for table in tables
        if named and table not in named
    )
    tables = named or tables
    found = [read_labels(table, lookup, _part_of(table) or Part.TRAIN) for table in tables]
    return Found(
        tuple(photo for each in found for photo in each.photos),
        f"the table{'s' * (len(tables) > 1)} {' and '.join(table.name for table in tables)}",
        tuple(it for each in found for it in each.left_out),
        notes,
    )


TABLES_IN_FOLDER: Final = Layout("tables-in-folder", has_tables, _read)
