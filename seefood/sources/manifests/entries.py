"""From an entry of a manifest, by column, to a reference; and what is wrong with an entry."""

import os
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from seefood.errors import UsageError
from seefood.records import ImageRef
from seefood.sources.sizes import parse_size
from seefood.storage.uris import Location, parse_location

_URIS: Final = (
    "uri", "url", "s3_uri", "s3uri", "gcs_uri", "imagegcsuri", "image_uri", "image_url",
    "source-ref", "source_ref",
)  # fmt: skip
_PATHS: Final = (
    "image_path", "imagepath", "img_path", "file_path", "filepath", "path", "image", "filename",
    "file_name",
)  # fmt: skip
NAMES: Final = (*_URIS, *_PATHS, "file", "key", "object_key", "name")
"""Columns that hold a picture's name, the most likely first."""
_TAGS: Final = ("etag", "e_tag")
_SIZES: Final = ("size_bytes", "size")
_VERSIONS: Final = ("version_id", "versionid")
KNOWN: Final = frozenset({*NAMES, *_TAGS, *_SIZES, *_VERSIONS, "bucket"})
"""All columns that are read, in small letters."""
_MAX_NAME: Final = 4096
_NAME_KEYS: Final = ("path", "uri", "url", "file_name")
"""Where an object in the place of a name has the name."""
_ESCAPES: Final = re.compile("[\udc80-\udcff]")
_PICTURE: Final = re.compile(
    r".*\.(jpe?g|jfif|png|webp|gif|bmp|tiff?|heic|heif|avif)", re.IGNORECASE | re.DOTALL
)


class EntryError(Exception):
    """An entry, or the list from there on, is wrong; the message says how and what to do."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number = number


class ListError(Exception):
    """The list as a whole cannot be read; the message says what it is and what to do."""


class NoColumnError(Exception):
    """No column is known to hold names; the argument is the columns' names."""

    def __init__(self, columns: Iterable[object]) -> None:
        super().__init__([str(column) for column in columns])


class _Columns(NamedTuple):
    """Where the entries of a manifest have what, by the names of their columns."""

    own: Mapping[str, str]
    """From the names in small letters to those that the entries have."""
    names: tuple[str, ...]
    """Those of pictures' names, in small letters, the most likely first."""
    tags: tuple[str, ...]
    sizes: tuple[str, ...]
    versions: tuple[str, ...]
    bucket: str | None

    @classmethod
    def of(cls, record: Mapping[str, Any], chosen: str | None) -> "_Columns":
        """Find the columns of an entry; `chosen` is the one that the user named."""
        own = {str(name).strip().lower(): name for name in record}

        def present(known: Iterable[str]) -> tuple[str, ...]:
            return tuple(own[name] for name in known if name in own)

        names = tuple(name for name in ((chosen,) if chosen else NAMES) if name in own)
        tags, sizes, versions = map(present, (_TAGS, _SIZES, _VERSIONS))
        return cls(own, names, tags, sizes, versions, own.get("bucket"))


@dataclass(slots=True)
class EntryReader:
    """Makes references from the entries of one manifest."""

    location: Location
    column: str | None
    """The column of the names that the user chose, in small letters."""
    repaired: list[int] = field(default_factory=list)
    """The number of the first entry whose name was read as Latin-1, if there is one."""
    _keys: tuple[str, ...] = ()
    _columns: _Columns = field(default_factory=lambda: _Columns.of({}, None))
    """The columns of entries with `_keys`: the entries of a table all have the same."""

    def ref(self, number: int, record: Mapping[str, Any]) -> ImageRef:
        """Return the picture that an entry names.

        Raises `EntryError`, or `NoColumnError` if no column of the entry may hold a name.
        """
        keys = tuple(record)
        if keys != self._keys:
            self._keys, self._columns = keys, _Columns.of(record, self.column)
        columns = self._columns
        column, name = self._name(number, record)
        if columns.bucket is not None and (bucket := record[columns.bucket]):
            name = name if "://" in name else f"s3://{bucket}/{name}"
        try:
            uri = self._absolute(number, name).uri
        except UsageError as error:
            raise EntryError(number, f"column {column}: {error}") from error
        size = _first(record, columns.sizes)
        try:
            size_bytes = parse_size(size)
        except ValueError as error:
            message = f"column size: {_shown(size)} is no number of bytes; write digits or nothing"
            raise EntryError(number, message) from error
        version = _first(record, columns.versions)
        return ImageRef(
            uri,
            str(_first(record, columns.tags) or "").strip('"'),
            size_bytes,
            str(version) if version and version != "null" else None,
        )

    def _name(self, number: int, record: Mapping[str, Any]) -> tuple[str, str]:
        """Return the column and the name in it."""
        own, present = self._columns.own, self._columns.names
        if not present:
            raise NoColumnError(own)
        column = present[0]
        name = record[own[column]]
        if name is None or name == "":
            filled = (each for each in present if record[own[each]] not in (None, ""))
            column = next(filled, column)
            name = record[own[column]]
        if isinstance(name, Mapping):
            name = _name_in_object(number, column, name)
        if name is None or name == "":
            raise EntryError(number, f"column {column} is empty; write a name or remove the entry")
        if not isinstance(name, str):
            message = f"column {column} holds {_shown(name)}, which is no name; write a text"
            raise EntryError(number, message)
        if len(name) > _MAX_NAME:
            raise EntryError(
                number,
                f"column {column} holds {len(name):,} characters, more than a name may have; "
                "if they are a picture, write it to a file and name that",
            )
        return column, name

    def _absolute(self, number: int, name: str) -> Location:
        if _ESCAPES.search(name):
            name = self._repaired(number, name)
        if "://" in name or name.startswith(("/", "file:", "~", "arn:")):
            if not name.isascii():
                _check_text(number, name)
            return parse_location(name.lstrip())  # no scheme begins with a space
        folder = Location(self.location.root, self.location.key.rpartition("/")[0])
        if folder.is_local:
            return parse_location(folder.child(name).key)
        if name.startswith(("./", "../")):
            name = posixpath.normpath(posixpath.join("/", folder.key, name)).lstrip("/")
            return Location(folder.root, name)
        return folder.child(name)

    def _repaired(self, number: int, name: str) -> str:
        """Return a name with bytes that are not UTF-8: as it is on this disk, else from Latin-1."""
        data = name.encode("utf-8", "surrogateescape")
        if self.location.is_local and "://" not in name:
            folder = os.path.dirname(self.location.key)  # noqa: PTH120 (the path has any bytes)
            if os.path.lexists(os.path.join(folder, os.fsdecode(data))):  # noqa: PTH118
                return name
        if not self.repaired:
            self.repaired.append(number)
        return decode_latin_1(data)


def _check_text(number: int, name: str) -> None:
    """Raise `EntryError` for half of a surrogate pair, which JSON can hold and no row can."""
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise EntryError(number, f"{name!r} is no UTF-8 ({error.reason})") from error


def decode_latin_1(data: bytes) -> str:
    """Return `data` read as Windows-1252, which is Latin-1 with printable characters."""
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def is_like_a_name(text: str) -> bool:
    """Whether a cell can only be a name: a URI, an absolute path, or one with a known suffix."""
    return "://" in text or text.startswith("/") or has_known_suffix(text)


def has_known_suffix(text: str) -> bool:
    """Whether a text ends like the name of a picture, such as `.jpg`."""
    return _PICTURE.fullmatch(text) is not None


def _name_in_object(number: int, column: str, value: Mapping[str, Any]) -> Any:
    if value.get("bytes") not in (None, ""):
        message = f"column {column} is a struct whose bytes are a picture; write it to a file"
        raise EntryError(number, message)
    found = _first(value, _NAME_KEYS)
    if found is None:
        keys = ", ".join(map(str, list(value)[:8]))
        message = f"column {column} holds an object with {keys or 'nothing'}, which is no name"
        raise EntryError(number, f"{message}; write a text")
    return found


def _first(values: Mapping[str, Any], names: Iterable[str]) -> Any:
    for name in names:
        value = values.get(name)
        if value is not None and value != "":
            return value
    return None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
