"""The files of a list that is a folder, as Spark and other engines write one."""

import os
from collections.abc import Iterator
from typing import Final

from seefood.errors import UsageError
from seefood.storage import open_store
from seefood.storage.uris import Location, parse_location

_SUFFIXES: Final = ("txt", "csv", "tsv", "json", "jsonl", "ndjson", "parquet", "manifest")
_COMPRESSED: Final = ("gz", "bz2", "xz")
_METADATA: Final = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
"""Hugging Face's lists beside the pictures of an image folder."""
_INVENTORY: Final = "manifest.json"


def part_files(location: Location) -> list[Location]:
    """Return the files of the list in the folder `location`, sorted; none if it is no folder.

    Files whose names begin with `_` or `.` are marks, not parts. Raises `UsageError` for a folder
    that holds something else than a list.
    """
    is_folder = (
        os.path.isdir(location.key)  # noqa: PTH112 (the path has any bytes)
        if location.is_local
        else location.key.endswith("/") or not location.key
    )
    if not is_folder:
        return []
    parts = list(_visible(location))
    for name in (*_METADATA, _INVENTORY):
        own = [part for part in parts if part == location.child(name)]
        if own:
            return own
    if not parts:
        raise UsageError(f"the folder {location.uri} holds no list; name a file")
    for part in parts:
        name = part.key.rpartition("/")[2]
        if not (name.startswith("part-") or _suffix(name) in _SUFFIXES):
            raise UsageError(
                f"the folder {location.uri} holds {name}, which is no list; give a folder of "
                "pictures as a SOURCE, and with `--manifest` a list or a folder of its parts"
            )
    return parts


def _visible(folder: Location) -> Iterator[Location]:
    prefix = folder.key if folder.is_local or not folder.key else f"{folder.key.rstrip('/')}/"
    for ref in open_store(folder.root).list(prefix):
        location = parse_location(ref.uri)
        inside = location.key.removeprefix(folder.key).lstrip("/")
        if inside.startswith("_delta_log/"):
            raise UsageError(
                f"the folder {folder.uri} is a Delta table, whose files may be outdated; write "
                "its current rows as Parquet"
            )
        if not any(part.startswith(("_", ".")) for part in inside.split("/")):
            yield location


def _suffix(name: str) -> str:
    parts = name.lower().split(".")
    if len(parts) > 2 and parts[-1] in _COMPRESSED:
        parts.pop()
    return parts[-1] if len(parts) > 1 else ""
