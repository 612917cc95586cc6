"""`DATA/<class>/…`: one folder of photos for each class.

Folders inside a class belong to it. With `nested`, each innermost folder is a class instead, named
by its path, such as `animals/dog`. Where the folders inside are parts, `DATA/<class>/train/…` and
`DATA/<class>/test/…`, they are.
"""

from collections.abc import Iterable
from typing import Final

from seefood.errors import UsageError
from seefood_training.layouts.base import Found, Labelled, Layout, Listing, class_name, some
from seefood_training.layouts.parts import Part, part_of
from seefood_training.layouts.table_files import is_table
from seefood_training.layouts.unused import unused_notes

MORE_FOLDERS: Final = "put at least two folders there, one for each class"


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
    if skip == 0 and (shared := _shared_folders(listing)):
        note = (
            f"each of the classes {some(listing.top_folders())} has the same folders inside, "
            f"{some(shared)}: if those are the classes, name the outer folders train, val and test"
        )
        return (note,)
    note = (
        f"the class {folders[0]!r} has folders inside, such as {'/'.join(folders[:2])!r}: their "
        f"photos are of the class {folders[0]!r}; with `--nested`, each innermost folder is a "
        "class"
    )
    return (note,)


def _shared_folders(listing: Listing) -> list[str]:
    """Return the folders that are inside every class, if there are at least two of each."""
    inside = [
        {path.split("/")[1] for path in paths if path.count("/") > 1}
        for paths in listing.top_folders().values()
    ]
    shared = set.intersection(*inside)
    return sorted(shared) if len(inside) > 1 and len(shared) > 1 else []


def _is_class_folders(listing: Listing) -> bool:
    return bool(listing.top_folders())


def _check_tables(listing: Listing) -> tuple[str, ...]:
    """Return a sentence for each table beside the folders: it has no labels for these photos.

    Raises `UsageError` if the photos are in one folder, so that the table was to label them.
    """
    tables = [name for name in listing.files if is_table(name) and "/" not in name]
    (folder, paths), *others = listing.top_folders().items()
    if tables and not others and all(path.count("/") == 1 for path in paths):
        raise UsageError(
            f"{' and '.join(tables)} in {listing.data} has no labels for the photos in "
            f"{folder}/; name the columns file_name and label, and write the names as they "
            f"are below {listing.data}, such as {paths[0]}"
        )
    return tuple(f"{name} is not used: it has no labels for photos here" for name in tables)


def _parts_inside(listing: Listing) -> dict[str, Part]:
    """Return the part of each photo that is in a folder of its class named as a part.

    Empty if a class has other folders inside, or none has photos to train on and others.
    """
    parts: dict[str, Part] = {}
    if len(listing.top_folders()) < 2:
        return parts
    for path in listing.pictures:
        folders = path.split("/")[1:-1]
        if not folders:
            continue
        part = part_of(folders[-1] if listing.nested else folders[0])
        if part is None and not listing.nested:
            return {}
        if part is not None:
            parts[path] = part
    return parts if Part.TRAIN in parts.values() and len(set(parts.values())) > 1 else {}


def _read(listing: Listing) -> Found:
    check_no_class_is_empty(listing, 0)
    unused = (*_check_tables(listing), *unused_notes(listing))
    parts = _parts_inside(listing)
    others = [path for path in listing.pictures if path not in parts]
    photos = labelled_folders(listing, others, Part.TRAIN)
    for path, part in parts.items():
        *folders, _, _ = path.split("/")
        name = "/".join(folders) if listing.nested else folders[0]
        photos.append(Labelled(listing.files[path], class_name(name), part))
    inner = () if parts else nested_note(listing, listing.pictures)
    cure = MORE_FOLDERS
    if inner:
        deeper = f"{listing.data.rstrip('/')}/{next(iter(listing.top_folders()))}"
        cure += f"; if the classes are the folders inside it, give {deeper}"
    return Found(
        tuple(photos),
        "one folder per class" + " with its parts inside" * bool(parts),
        notes=(*unused, *inner),
        more_classes=cure,
    )


CLASS_FOLDERS: Final = Layout("class-folders", _is_class_folders, _read)
