"""`DATA/<class>/…`: one folder of photos for each class.

Folders inside a class belong to it. With `nested`, each innermost folder is a class instead, named
by its path, such as `animals/dog`.
"""

from collections.abc import Iterable
from typing import Final

from seefood.errors import UsageError
from seefood_training.layouts.base import Found, Labelled, Layout, Listing, Part, class_name
from seefood_training.layouts.table_files import is_table


def labelled_folders(
    listing: Listing, paths: Iterable[str], part: Part, *, skip: int = 0
) -> list[Labelled]:
    """Return the photos at `paths`, labelled by their folders below the first `skip` folders."""
    photos = []
    for path in paths:
        folders = path.split("/")[skip:-1]
        if folders:
            name = "/".join(folders) if listing.nested else folders[0]
            photos.append(Labelled(listing.files[path], class_name(name), part))
    return photos


def check_no_class_is_empty(listing: Listing, depth: int) -> None:
    """Raise `UsageError` for a class folder, `depth` folders below DATA, without a file."""
    for name in listing.empty_folders:
        if name.count("/") == depth:
            folder = f"{listing.data.rstrip('/')}/{name}"
            raise UsageError(f"the class folder {folder} is empty; put photos there or remove it")


def nested_note(listing: Listing, paths: Iterable[str], skip: int = 0) -> tuple[str, ...]:
    """Return a sentence if the classes have folders inside, which `nested` would make classes."""
    deep = [path for path in paths if path.count("/") > skip + 1]
    if listing.nested or not deep:
        return ()
    folders = deep[0].split("/")[skip:-1]
    note = (
        f"the class {folders[0]!r} has folders inside, such as {'/'.join(folders[:2])!r}: their "
        f"photos are of the class {folders[0]!r}; with `--nested`, each innermost folder is a "
        "class"
    )
    return (note,)


def _is_class_folders(listing: Listing) -> bool:
    return bool(listing.top_folders())


def _check_tables(listing: Listing) -> tuple[str, ...]:
    """Return a sentence for each table beside the folders: it has no labels for these photos.

    Raises `UsageError` if the photos are in one folder, so that the table was to label them.
    """
    tables = [name for name in listing.files if "/" not in name and is_table(name)]
    (folder, paths), *others = listing.top_folders().items()
    if tables and not others and all(path.count("/") == 1 for path in paths):
        raise UsageError(
            f"{' and '.join(tables)} in {listing.data} has no labels for the photos in "
            f"{folder}/; name the columns file_name and label, and write the names as they "
            f"are below {listing.data}, such as {paths[0]}"
        )
    return tuple(f"{name} is not used: it has no labels for photos here" for name in tables)


def _read(listing: Listing) -> Found:
    check_no_class_is_empty(listing, 0)
    unused = _check_tables(listing)
    return Found(
        tuple(labelled_folders(listing, listing.files, Part.TRAIN)),
        "one folder per class",
        notes=(*unused, *nested_note(listing, listing.files)),
    )


CLASS_FOLDERS: Final = Layout("class-folders", _is_class_folders, _read)
