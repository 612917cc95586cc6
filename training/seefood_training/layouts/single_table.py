"""`DATA` is a table itself: CSV, JSON Lines or JSON with the photos' names and labels.

Names are relative to the table's folder. A column such as `split` may state the part.
"""

from typing import Final

from seefood.errors import UsageError
from seefood.storage import read
from seefood.storage.uris import Location
from seefood_training.layouts.base import Found, Layout, Listing
from seefood_training.layouts.file_lookup import FileLookup
from seefood_training.layouts.labelled_tables import read_labels
from seefood_training.layouts.table_files import is_table, read_table


def folder_of(table: Location) -> Location:
    """Return the folder that the names in `table` start from."""
    return Location(table.root, table.key.rpartition("/")[0])


def _is_single_table(listing: Listing) -> bool:
    return is_table(listing.location.key) and not listing.files


def _read(listing: Listing) -> Found:
    try:
        data = read(listing.location)
    except FileNotFoundError as error:
        raise UsageError(f"there is no {listing.data}; check the path") from error
    name = listing.location.key.rpartition("/")[2]
    table = read_table(data, name)
    found = read_labels(table, FileLookup(folder_of(listing.location)))
    return Found(found.photos, f"the table {name}", found.left_out, found.notes)


SINGLE_TABLE: Final = Layout("single-table", _is_single_table, _read)
