"""Finds the file that a cell of a table names."""

import os
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import PurePosixPath
from typing import Final
from unicodedata import normalize
from urllib.parse import unquote

from seefood.errors import PictureError, UsageError
from seefood.records import ImageRef
from seefood.storage import open_store
from seefood.storage.uris import Location, parse_location
from seefood_training.layouts.base import may_be_picture
from seefood_training.layouts.listing import is_hidden, list_files

_WINDOWS: Final = re.compile(r"^[A-Za-z]:[\\/]")


class FileLookup:
    """The files below the folder of a table, by path and by name.

    The folder is listed only when a name is not found directly, which is never the case in a local
    folder with correct names.
    """

    def __init__(
        self,
        folder: Location,
        files: Mapping[str, ImageRef] | None = None,
        first: str | None = None,
    ) -> None:
        """Find files below `folder`, which has `files`, and those in its folder `first` first."""
        self._folder = folder
        self._given = files
        self._first = first
        self._indexes: dict[tuple[int, bool], dict[tuple[str, ...], list[str]]] = {}
        self.moved: dict[str, str] = {}
        """Names whose folder does not exist, and the files that were found in another one."""

    def find(self, name: str) -> ImageRef | str:
        """Return the file that `name` means, or the reason why there is none.

        `name` is a path from the table's folder, an absolute path, or a URI. Otherwise the only
        file below the folder with that name, with or without its suffix, whatever the case; of
        several files the only one in folders of the same names.
        """
        if "://" in name or name.startswith(("/", "~")):
            found = self._absolute(name)
            if not isinstance(found, str) or "://" in name:
                return found
        for path in dict.fromkeys((name, name.replace("\\", "/"), unquote(name))):
            for folder in ("", self._first):
                if folder is None:
                    continue
                inside = self._relative(os.path.normpath(f"{folder}/{path}" if folder else path))
                if inside is not None:
                    return inside
        return self._by_name(_WINDOWS.sub("", unquote(name)).replace("\\", "/"))

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
        if not is_hidden(path):
            return self._files.get(path)
        try:
            return open_store(self._folder.root).stat(ImageRef(self._folder.child(path).uri))
        except PictureError:
            return None

    def _by_name(self, name: str) -> ImageRef | str:
        wanted = _parts(name)
        for by_stem in (False, True):
            found = self._ending_in(wanted, by_stem=by_stem)
            if len(found) > 1:
                return f"{len(found)} files have this name, such as {found[0]} and {found[1]}"
            if found:
                if wanted[-2:-1] not in ((), _parts(found[0])[-2:-1]):
                    self.moved[name] = found[0]
                return self._files[found[0]]
        return "there is no such file"

    def _ending_in(self, wanted: tuple[str, ...], *, by_stem: bool) -> list[str]:
        """Return the files of the wanted name in the most folders, from the last, of its names."""
        found: list[str] = []
        for depth in range(1, len(wanted) + 1):
            closer = self._index(depth, by_stem=by_stem).get(wanted[-depth:], [])
            found = closer or found
            if len(closer) < 2:
                break
        return found

    def _index(self, depth: int, *, by_stem: bool) -> dict[tuple[str, ...], list[str]]:
        """Return the pictures by the last `depth` names of their paths."""
        key = (depth, by_stem)
        if key not in self._indexes:
            index: dict[tuple[str, ...], list[str]] = {}
            for path in filter(may_be_picture, self._files):
                *folders, name = _parts(path)[-depth:]
                last = PurePosixPath(name).stem if by_stem else name
                index.setdefault((*folders, last), []).append(path)
            self._indexes[key] = index
        return self._indexes[key]

    @cached_property
    def _files(self) -> Mapping[str, ImageRef]:
        return self._given if self._given is not None else list_files("", self._folder).files


def _parts(path: str) -> tuple[str, ...]:
    """Return the names in `path` in lower case and with composed characters."""
    return PurePosixPath(normalize("NFC", path).lower()).parts
