"""Hugging Face's ImageFolder: `metadata.csv` or `metadata.jsonl` with `file_name` and a label.

The file is in DATA or in a folder for each part (`DATA/train/metadata.csv`). Names are relative to
its folder. If it has no label, which captions and boxes have not, the folders are the classes.
"""

from collections.abc import Iterator
from typing import Final

from seefood.storage import read
from seefood.storage.uris import parse_location
from seefood_training.layouts.base import Found, Layout, Listing, Part, part_of
from seefood_training.layouts.file_lookup import FileLookup
from seefood_training.layouts.labelled_tables import find_columns, read_labels
from seefood_training.layouts.table_files import Table, by_normal_name, read_table

_NAMES: Final = ("metadata.csv", "metadata.jsonl")


def _tables(listing: Listing) -> Iterator[tuple[str, Table, FileLookup]]:
    """Yield the path of each metadata file with labels, its table, and its files."""
    for path, ref in listing.files.items():
        folder, _, name = path.rpartition("/")
        if name not in _NAMES or (folder and part_of(folder) is None):
            continue
        location = listing.location.child(folder) if folder else listing.location
        inside = {
            each.removeprefix(f"{folder}/"): ref
            for each, ref in listing.files.items()
            if not folder or each.startswith(f"{folder}/")
        }
        table = read_table(read(parse_location(ref.uri)), path)
        lookup = FileLookup(location, inside)
        if "file_name" in by_normal_name(table.columns) and find_columns(
            table, lookup, by_name=True
        ):
            yield folder, table, lookup


def _has_metadata(listing: Listing) -> bool:
    return next(_tables(listing), None) is not None


def _read(listing: Listing) -> Found:
    tables = list(_tables(listing))
    found = [
        read_labels(table, lookup, part_of(folder) or Part.TRAIN)
        for folder, table, lookup in tables
    ]
    return Found(
        tuple(photo for each in found for photo in each.photos),
        f"Hugging Face metadata: {' and '.join(table.name for _, table, _ in tables)}",
        tuple(it for each in found for it in each.left_out),
    )


METADATA: Final = Layout("metadata", _has_metadata, _read)
