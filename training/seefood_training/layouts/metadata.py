"""Hugging Face's ImageFolder: `metadata.csv` or `metadata.jsonl` with `file_name` and a label.

The file is in DATA; `part_folders` reads one in each part (`DATA/train/metadata.csv`). Names are
relative to its folder. If it has no label, which captions and boxes have not, the folders are the
classes.
"""

from typing import Final

from seefood.storage import read
from seefood.storage.uris import parse_location
from seefood_training.layouts.base import Found, Layout, Listing
from seefood_training.layouts.file_lookup import FileLookup
from seefood_training.layouts.labelled_tables import read_labels
from seefood_training.layouts.table_columns import find_columns
from seefood_training.layouts.table_files import Table, by_normal_name, read_table
from seefood_training.layouts.unused import unlisted_note

_NAMES: Final = ("metadata.csv", "metadata.jsonl")


def _table(listing: Listing) -> tuple[Table, FileLookup] | None:
    """Return the metadata file with labels and its files, or None if there is none."""
    lookup = FileLookup(listing.location, listing.files)
    by_name = len(listing.top_folders()) > 1
    for name in _NAMES:
        if name not in listing.files:
            continue
        table = read_table(read(parse_location(listing.files[name].uri)), name)
        is_metadata = "file_name" in by_normal_name(table.columns)
        if is_metadata and find_columns(table, lookup, by_name=by_name):
            return table, lookup
    return None


def _read(listing: Listing) -> Found:
    found = _table(listing)
    assert found is not None  # noqa: S101 (it is recognised)
    table, lookup = found
    photos = read_labels(table, lookup)
    return Found(
        photos.photos,
        f"Hugging Face metadata: {table.name}",
        photos.left_out,
        photos.notes + unlisted_note(listing.pictures, listing, photos.photos, table.name),
    )


METADATA: Final = Layout("metadata", lambda listing: _table(listing) is not None, _read)
