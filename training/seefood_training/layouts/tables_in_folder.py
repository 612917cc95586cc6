"""`DATA/labels.csv` beside the photos, or `DATA/train.csv`, `val.csv` and `test.csv`.

A table counts if it has labels for photos of the folder. Names are relative to DATA, or to the
folder of the table's part (`train.csv` and `train/`); a photo is also found by its name alone, with
or without the suffix, if only one file has that name. Tables may also be in a folder without
pictures, such as `annotations/`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from seefood.errors import UsageError
from seefood.storage import read
from seefood.storage.uris import parse_location
from seefood_training.layouts.base import Found, Layout, Listing, some
from seefood_training.layouts.file_lookup import FileLookup
from seefood_training.layouts.labelled_tables import read_labels
from seefood_training.layouts.parts import Part, part_in, part_of
from seefood_training.layouts.table_columns import find_columns, names_photos
from seefood_training.layouts.table_files import (
    Table,
    by_normal_name,
    is_table,
    normal_name,
    read_table,
)
from seefood_training.layouts.unused import unlisted_note

Tables = Sequence[tuple[Table, FileLookup]]
_MEANT: Final = frozenset(
    ("label", "labels", "annotation", "annotations", "metadata", "class", "classes", "truth")
)
"""Words in the names of tables that say what the photos are, whatever their folders are called."""


def _named(listing: Listing) -> list[str]:
    """Return the paths of the tables beside the photos, or else in folders without pictures."""
    tables = [path for path in listing.files if is_table(path)]
    filled = listing.top_folders()
    beside = [path for path in tables if "/" not in path]
    return beside or [
        path for path in tables if path.count("/") == 1 and path.split("/")[0] not in filled
    ]


def _opened(listing: Listing, path: str) -> Table:
    return read_table(read(parse_location(listing.files[path].uri)), path)


def _lookup(listing: Listing, path: str) -> FileLookup:
    """Return where the names in a table are looked for: also in the folder of its part."""
    part = _part_of(path)
    folders = [name for name in listing.top_folders() if part and part_of(name) is part]
    return FileLookup(listing.location, listing.files, next(iter(folders), None))


def _tables(listing: Listing) -> list[tuple[Table, FileLookup]]:
    """Return the tables with labels for photos.

    Where the folders may be classes, a damaged table whose name does not say labels is another
    file, and so is one whose column of labels has an unknown name: it may hold captions.
    """
    may_be_classes = len(listing.top_folders()) > 1
    tables = []
    for path in _named(listing):
        try:
            table = _opened(listing, path)
        except UsageError:
            if may_be_classes and not _is_meant(path):
                continue
            raise
        lookup = _lookup(listing, path)
        if names_photos(table, lookup, by_name=may_be_classes):
            tables.append((table, lookup))
    return tables


def has_tables(listing: Listing) -> bool:
    """Whether DATA has a table with labels for photos."""
    return bool(_named(listing)) and bool(_tables(listing))


def part_tables(listing: Listing, folder: str, part: Part, *, has_classes: bool) -> Tables:
    """Return the tables that label the photos of a part, inside its folder or beside it.

    Where it has classes, only Hugging Face's metadata counts.
    """
    inside = {
        path.removeprefix(f"{folder}/"): ref
        for path, ref in listing.files.items()
        if path.startswith(f"{folder}/")
    }
    lookup = FileLookup(listing.location.child(folder), inside)
    own: list[tuple[Table, FileLookup]] = []
    for name in inside:
        if "/" in name or not is_table(name):
            continue
        is_metadata = name in ("metadata.csv", "metadata.jsonl")
        if has_classes and not is_metadata:
            continue
        table = _opened(listing, f"{folder}/{name}")
        if is_metadata and "file_name" not in by_normal_name(table.columns):
            continue
        if (is_metadata and find_columns(table, lookup, by_name=has_classes)) or names_photos(
            table, lookup, by_name=has_classes
        ):
            own.append((table, lookup))
    if own or has_classes:
        return own
    beside = (path for path in _named(listing) if _part_of(path) is part)
    found = ((_opened(listing, path), _lookup(listing, path)) for path in beside)
    return [(table, where) for table, where in found if names_photos(table, where)]


def _part_of(path: str) -> Part | None:
    return part_in(path.rpartition("/")[2].rpartition(".")[0])


def _is_meant(path: str) -> bool:
    words = normal_name(path.rpartition("/")[2].rpartition(".")[0]).split("_")
    return _part_of(path) is not None or not _MEANT.isdisjoint(words)


def _check_folders(listing: Listing, found: Found, tables: Sequence[Table]) -> None:
    """Raise `UsageError` if the folders may be the classes as well as the labels of a table.

    Such a table may have been made for something else, such as the cameras of the photos.
    """
    folders = listing.top_folders()
    labels = {photo.label for photo in found.photos}
    if len(folders) < 2 or labels <= set(folders) or any(_is_meant(table.name) for table in tables):
        return
    name = tables[0].name
    raise UsageError(
        f"{listing.data} has the folders {some(folders, 3)}, and {name} gives their photos other "
        f"labels, {some(sorted(labels), 3)}; give {listing.data.rstrip('/')}/{name} if those are "
        "the classes, and move that file away if the folders are"
    )


def read_tables(
    listing: Listing, tables: Tables, paths: Iterable[str], part: Part | None = None
) -> Found:
    """Return the photos of the tables; those at `paths` that are in none are told.

    They are in `part`, or else in the parts that the tables are named after.
    """
    found = [
        read_labels(table, lookup, part or _part_of(table.name) or Part.TRAIN)
        for table, lookup in tables
    ]
    photos = tuple(photo for each in found for photo in each.photos)
    names = " and ".join(table.name for table, _ in tables)
    return Found(
        photos,
        f"the table{'s' * (len(tables) > 1)} {names}",
        tuple(it for each in found for it in each.left_out),
        (
            *(note for each in found for note in each.notes),
            *unlisted_note(paths, listing, photos, names),
        ),
    )


def _read(listing: Listing) -> Found:
    tables = _tables(listing)
    named = [it for it in tables if _part_of(it[0].name) is not None]
    if len(tables) > 1 and not named:
        raise UsageError(
            f"{listing.data} has the tables {', '.join(table.name for table, _ in tables)}; give "
            f"the right one, such as {listing.data.rstrip('/')}/{tables[0][0].name}"
        )
    used = named or tables
    found = read_tables(listing, used, listing.pictures)
    _check_folders(listing, found, [table for table, _ in used])
    unused = (table.name for table, _ in tables if table not in [it for it, _ in used])
    notes = tuple(f"{name} is not used, because {used[0][0].name} is there" for name in unused)
    return replace(found, notes=(*notes, *found.notes))


TABLES_IN_FOLDER: Final = Layout("tables-in-folder", has_tables, _read)
