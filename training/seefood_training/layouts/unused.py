"""Sentences about files that a layout does not use, so that nothing is left out in silence."""

from collections.abc import Iterable, Sequence

from seefood_training.layouts.base import Labelled, Listing, class_name, may_be_picture, some
from seefood_training.layouts.table_files import is_table


def unlisted_note(
    paths: Iterable[str], listing: Listing, photos: Sequence[Labelled], tables: str
) -> tuple[str, ...]:
    """Return a sentence if pictures at `paths` are in none of the tables."""
    listed = {photo.ref.uri for photo in photos}
    left = [path for path in paths if listing.files[path].uri not in listed]
    if not left:
        return ()
    return (f"pictures that are not in {tables} are not used: {some(left)}",)


def unused_notes(listing: Listing) -> tuple[str, ...]:
    """Return sentences about the files of folders with classes that are no photos of a class."""
    loose = [path for path in listing.pictures if "/" not in path]
    others = [path for path in listing.files if not may_be_picture(path) and not is_table(path)]
    inside = [path for path in others if "/" in path]
    filled, empty = listing.top_folders(), dict[str, None]()
    for path in listing.files:
        folder, slash, _ = path.partition("/")
        if slash and folder not in filled:
            empty[folder] = None
    notes = []
    if loose:
        notes.append(f"files in no class folder are not used: {some(loose)}")
    if empty:
        notes.append(f"folders without a picture are no classes: {some(empty)}")
    if inside := [path for path in inside if path.partition("/")[0] in filled]:
        notes.append(f"files that are no pictures by their names are not used: {some(inside)}")
    return (*notes, *_merged_note(listing), *unread_notes(listing))


def unread_notes(listing: Listing) -> tuple[str, ...]:
    """Return sentences about the pictures that no layout is given, because of their names."""
    notes = []
    if listing.hidden:
        notes.append(
            f"names that begin with a dot are hidden and not read: {some(listing.hidden)}; rename "
            "those that are classes or photos, or list the photos in a table of labels"
        )
    if listing.doubled:
        notes.append(
            f"keys that differ from others only in the number of slashes are not read: "
            f"{some(listing.doubled)}; rename them"
        )
    return tuple(notes)


def _merged_note(listing: Listing) -> tuple[str, ...]:
    """Return a sentence if two folders have one name, as bundles store it."""
    folders: dict[str, str] = {}
    for path in listing.pictures:
        folder = path.rpartition("/")[0]
        other = folders.setdefault("/".join(map(class_name, folder.split("/"))), folder)
        if other != folder:
            note = (
                f"the folders {other!a} and {folder!a} are one class: their names differ "
                "only in blanks around them, or in how their characters are encoded"
            )
            return (note,)
    return ()
