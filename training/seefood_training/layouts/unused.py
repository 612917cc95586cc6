"""Sentences about files that a layout does not use, so that nothing is left out in silence."""

from collections.abc import Iterable, Sequence

from seefood_training.layouts.base import Labelled, Listing, may_be_picture, some
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
    if listing.hidden_folders:
        notes.append(
            f"hidden folders are not read: {some(listing.hidden_folders)}; rename those that are "
            "classes, or list their photos in a table of labels"
        )
    return tuple(notes)
