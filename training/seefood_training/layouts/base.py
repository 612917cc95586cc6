"""What a layout finds: photos with the names of their classes and the part that each is in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from unicodedata import normalize

from seefood.records import ImageRef
from seefood.storage.uris import Location


class Part(StrEnum):
    """What a photo is for."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


_PARTS: Final = {
    "train": Part.TRAIN,
    "training": Part.TRAIN,
    "val": Part.VALIDATION,
    "valid": Part.VALIDATION,
    "validation": Part.VALIDATION,
    "dev": Part.VALIDATION,
    "test": Part.TEST,
    "testing": Part.TEST,
    "eval": Part.TEST,
    "evaluation": Part.TEST,
}


def part_of(name: str) -> Part | None:
    """Return the part that a folder, a table or a cell called `name` stands for, or None."""
    return _PARTS.get(name.strip().lower())


@dataclass(frozen=True, slots=True)
class Labelled:
    """A photo with its class."""

    ref: ImageRef
    label: str
    part: Part = Part.TRAIN


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file, or a line of a table, that is not used."""

    uri: str
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a layout reads from DATA."""

    photos: tuple[Labelled, ...]
    layout: str
    """What DATA was read as, such as `one folder per class`."""
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    """What a person should know about how DATA was read, a sentence each."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The files below DATA."""

    data: str
    """As the user gave it."""
    location: Location
    files: Mapping[str, ImageRef]
    """By the path below DATA, with `/` between the folders."""
    empty_folders: tuple[str, ...] = ()
    """Local folders, up to two deep, that contain no file, by their paths below DATA."""
    nested: bool = False
    """Whether each innermost folder is a class, instead of each outermost one."""

    def top_folders(self) -> dict[str, list[str]]:
        """Return the paths of the files that are in folders, by the outermost folder."""
        folders: dict[str, list[str]] = {}
        for path in self.files:
            first, slash, _ = path.partition("/")
            if slash:
                folders.setdefault(first, []).append(path)
        return folders


@dataclass(frozen=True, slots=True)
class Layout:
    """A way in which people store labelled photos."""

    name: str
    recognises: Callable[[Listing], bool]
    read: Callable[[Listing], Found]
    """Raises `UsageError` for data that contradicts the layout."""


def class_name(text: str) -> str:
    """Return the name of a class as bundles store it: composed characters, no outer blanks.

    A file system may give the same name as composed or as decomposed characters.
    """
    return normalize("NFC", text.strip())
