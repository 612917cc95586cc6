"""What a layout finds: photos with the names of their classes and the part that each is in."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from unicodedata import normalize

from seefood.records import ImageRef
from seefood.storage.uris import Location
from seefood_training.layouts.parts import Part


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
    more_classes: str = "list photos of at least two classes there"
    """What to do if all photos are of one class, as the end of a sentence."""


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
    hidden: tuple[str, ...] = ()
    """Pictures, and folders with some up to two deep, not read because of the dot before."""
    doubled: tuple[str, ...] = ()
    """Keys that are not read: another one differs only in a `/` more or less."""

    @property
    def pictures(self) -> tuple[str, ...]:
        """Return the paths of the files that may be pictures by their names."""
        return tuple(path for path in self.files if may_be_picture(path))

    def top_folders(self) -> dict[str, list[str]]:
        """Return the paths of the pictures that are in folders, by the outermost folder."""
        folders: dict[str, list[str]] = {}
        for path in self.pictures:
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


_NO_PICTURES: Final = (
    "arrow avi bin cfg csv db doc docx gz h5 htm html ini ipynb json jsonl keras lock log lst m4a "
    "mat md mkv mov mp3 mp4 names ndjson npy npz onnx parquet pb pdf pkl ppt pptx pt pth py pyc "
    "rar rst sh tar tflite tfrecord tgz toml tsv txt url wav webm xls xlsx xml xz yaml yml zip 7z"
)
"""Suffixes of files that nobody takes for pictures, and that often lie beside them."""
_NO_PICTURE: Final = frozenset(_NO_PICTURES.split())


def may_be_picture(path: str) -> bool:
    """Whether the file at `path` may be a picture by its name; one without a suffix may."""
    _, dot, suffix = path.rpartition("/")[2].rpartition(".")
    return not dot or suffix.lower() not in _NO_PICTURE


def some(names: Iterable[str], count: int = 5) -> str:
    """Return up to `count` of the names for a sentence, each in quotes, and how many there are."""
    names = list(names)
    shown = ", ".join(map(repr, names[:count]))
    return f"{shown}, … ({len(names):,} in all)" if len(names) > count else shown


def class_name(text: str) -> str:
    """Return the name of a class as bundles store it: composed characters, no outer blanks.

    A file system may give the same name as composed or as decomposed characters.
    """
    return normalize("NFC", text.strip())
