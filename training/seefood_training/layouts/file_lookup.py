"""Finds the file that a cell of a table names."""

import os
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import PurePosixPath
from typing import Final

from seefood.errors import PictureError, UsageError
from seefood.records import ImageRef
from seefood.storage import open_store
from seefood.storage.uris import Location, parse_location
from seefood_training.layouts.listing import list_files

_WINDOWS: Final = re.compile(r"^[A-Za-z]:[\\/]")


class FileLookup:
    """The files below the folder of a table, by path and by name.

    The folder is listed only when a name is not found directly, which is never the case in a local
    folder with correct names.
    """

    def __init__(self, folder: Location, files: Mapping[str, ImageRef] | None = None) -> None:
        self._folder = folder
        self._given = files

    def find(self, name: str) -> ImageRef | str:
        """Return the file that `name` means, or the reason why there is none.

        `name` is a path from the table's folder, an absolute path, or a URI. Otherwise the only
        file below the folder with that name, with or without its suffix, whatever the case.
        """
        if "://" in name or name.startswith(("/", "~")):
            found = self._absolute(name)
            if not isinstance(found, str) or "://" in name:
                return found
        for path in (name, name.replace("\\", "/")):
            inside = self._relative(os.path.normpath(path))
            if inside is not None:
                return inside
        name = _WINDOWS.sub("", name).replace("\\", "/")
        return self._by_name(PurePosixPath(name).name.lower())

    def _absolute(self, name: str) -> ImageRef | str:
        try:
            location = parse_location(name)
            ref = ImageRef(location.uri)
            return open_store(location.root).stat(ref) if location.is_local else ref
        except (PictureError, UsageError) as error:
            return str(error)

    def _relative(self, path: str) -> ImageRef | None:
        if self._given is not None and path in self._given:
            return self._given[path]
        if self._folder.is_local:
            full = os.path.normpath(os.path.join(self._folder.key, path))  # noqa: PTH118 (keys hold surrogate escapes)
            if "\0" in path or not os.path.isfile(full):  # noqa: PTH113 (as above)
                return None
            return open_store(self._folder.root).stat(ImageRef(Location("file://", full).uri))
        return self._files.get(path)

    def _by_name(self, name: str) -> ImageRef | str:
        for known in (self._by_file_name, self._by_stem):
            found = known.get(name, [])
            if len(found) > 1:
                return f"{len(found)} files have this name, such as {found[0]} and {found[1]}"
            if found:
                return self._files[found[0]]
        return "there is no such file"

    @cached_property
    def _files(self) -> Mapping[str, ImageRef]:
        return self._given if self._given is not None else list_files("", self._folder).files

    @cached_property
    def _by_file_name(self) -> dict[str, list[str]]:
        return self._indexed(lambda path: path.name)

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        return self._indexed(lambda path: path.stem)

    def _indexed(self, key: Callable[[PurePosixPath], str]) -> dict[str, list[str]]:
        index: dict[str, list[str]] = {}
        for path in self._files:
            index.setdefault(key(PurePosixPath(path.lower())), []).append(path)
        return index
