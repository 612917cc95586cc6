"""Lists the pictures in an archive that a source lists: an archive is like a folder."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from seefood.errors import PictureError
from seefood.records import ImageRef, ListingNote
from seefood.sources.compact_set import CompactSet
from seefood.storage import open_store
from seefood.storage.archive_names import is_archive
from seefood.storage.archives.members import ArchiveError, Skipped
from seefood.storage.archives.store import ArchiveStore
from seefood.storage.uris import parse_location

_COMPANIONS: Final = frozenset(
    {
        "json", "jsonl", "txt", "text", "cls", "cls2", "csv", "tsv", "xml", "yaml", "yml", "md",
        "html", "npy", "npz", "pyd", "pth", "pt", "pickle", "parquet", "log", "ini", "sha256",
    }
)  # fmt: skip
"""Endings of what lies beside pictures, as in WebDataset's shards."""


def expand(archive: ImageRef) -> Iterator[ImageRef | ListingNote]:
    """Yield the pictures of an archive, then notes about what was left out.

    Hidden members and those that are no pictures by their names are left out and counted. An
    object that is no archive in spite of its name is yielded itself: its row says what it is.
    """
    location = parse_location(f"{archive.uri}#x")
    store = open_store(location.root)
    assert isinstance(store, ArchiveStore)  # noqa: S101 (by the root)
    names = CompactSet()
    skipped: Counter[str] = Counter()
    count = 0
    try:
        for item in store.members(archive):
            count += 1
            reason = item.reason if isinstance(item, Skipped) else _reason(item[1])
            if reason is None and not isinstance(item, Skipped):
                if names.add(item[1]):
                    yield item[0]
                    continue
                reason = "members with the name of an earlier one"
            skipped[reason or ""] += 1
    except (ArchiveError, PictureError) as error:
        if not count:
            yield archive
            return
        yield ListingNote(archive.uri, str(error))
    for reason, number in skipped.items():
        yield ListingNote(archive.uri, f"left out: {reason}", is_loss=False, count=number)
    if not count:
        yield ListingNote(archive.uri, "the archive is empty", is_loss=False)


def _reason(name: str) -> str | None:
    """Return why a member is no picture by its name; None if it may be one."""
    parts = name.split("/")
    if any(part.startswith(".") and part not in (".", "..") for part in parts):
        return "hidden files"
    if parts[0] == "__MACOSX":
        return "hidden files"
    if is_archive(name):
        return "archives inside the archive"
    ending = name.rpartition(".")[2].lower() if "." in parts[-1] else ""
    return "files that are no pictures by their names" if ending in _COMPANIONS else None
