"""Labelled photos: one folder per class, local or in a bucket, decoded as bundles decode them.

`DATA/<class>/…` is one set. `DATA/train/<class>/…` and `DATA/test/<class>/…` are a set to train on
and one to report on, which training never reads. A file that cannot be decoded is left out and
reported; if more than one in ten cannot be decoded, the set is refused.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seefood.errors import PictureError, UsageError
from seefood.imaging.decode import DEFAULT_LIMITS, Pixels, ResizeRule, decode
from seefood.records import ImageRef
from seefood.storage import fetch, open_store
from seefood.storage.uris import Location, parse_location

TRAIN: Final = "train"
TEST: Final = "test"
_MAX_UNREADABLE: Final = 0.1
_THREADS: Final = 4


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo in the folder of its class."""

    ref: ImageRef
    label: int
    """Index into the set's labels."""

    @property
    def name(self) -> str:
        """The file's name, without its folder."""
        return self.ref.uri.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class PhotoSet:
    """The photos of a data folder."""

    labels: tuple[str, ...]
    """The classes' folder names, sorted."""
    train: tuple[Photo, ...]
    test: tuple[Photo, ...]
    """Empty unless the folder has `test/`."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that was left out."""

    uri: str
    reason: str


@dataclass(frozen=True, slots=True)
class DecodedPhotos:
    """Photos with their pixels, in the same order."""

    photos: tuple[Photo, ...]
    pixels: Pixels
    """RGB of shape `(n, height, width, 3)`."""
    sha256: tuple[str, ...]
    """Of each file's bytes, hexadecimal."""
    unreadable: tuple[Unreadable, ...]

    @property
    def labels(self) -> NDArray[np.int64]:
        """Each photo's class, of shape `(n,)`."""
        return np.asarray([photo.label for photo in self.photos], np.int64)

    def subset(self, indices: Iterable[int]) -> "DecodedPhotos":
        """Return the photos at `indices`, their pixels copied."""
        chosen = [int(index) for index in indices]
        return replace(
            self,
            photos=tuple(self.photos[index] for index in chosen),
            pixels=np.asarray(self.pixels[chosen]),
            sha256=tuple(self.sha256[index] for index in chosen),
        )


def read_photo_set(data: str) -> PhotoSet:
    """Return the photos below `data`, a folder or a URI, sorted by their names.

    Raises `UsageError` for a folder that is absent or has fewer than two classes, and for a class
    that has no file.
    """
    location = parse_location(data)
    if location.is_local and not Path(location.key).is_dir():
        raise UsageError(f"there is no folder {data}; DATA is a folder with one folder per class")
    by_folder = _by_folder(location)
    if location.is_local:
        _check_no_class_is_empty(Path(location.key), by_folder)
    splits = {name.split("/")[0] for name in by_folder if "/" in name}
    if TRAIN in splits and splits <= {TRAIN, TEST}:
        train = _under(by_folder, TRAIN)
        test = _under(by_folder, TEST)
    else:
        train, test = _top_level(by_folder), {}
    labels = tuple(sorted(train))
    if len(labels) < 2:
        content = f"only the class {labels[0]!r}" if labels else "no class folder with a photo"
        raise UsageError(
            f"{data} has {content}; put at least two folders there, one for each class"
        )
    if unknown := sorted(set(test) - set(labels)):
        raise UsageError(
            f"{data} has the class {unknown[0]!r} in {TEST}/ but not in {TRAIN}/; add photos of it "
            "to train on, or remove the folder"
        )
    return PhotoSet(labels, _photos(train, labels), _photos(test, labels))


def decode_photos(
    photos: Sequence[Photo],
    rule: ResizeRule,
    *,
    observe: Callable[[int], None] = lambda _: None,
) -> DecodedPhotos:
    """Return `photos` decoded by `rule`, in their order, without those that cannot be decoded.

    `observe` is called with the number of photos done. Raises `UsageError` if more than one in ten
    cannot be decoded or a class is left with none.
    """
    shape = (len(photos), rule.height, rule.width, 3)
    pixels = np.empty(shape, np.uint8)
    kept: list[Photo] = []
    hashes: list[str] = []
    unreadable: list[Unreadable] = []
    with ThreadPoolExecutor(_THREADS) as threads:
        for done, (photo, result) in enumerate(
            zip(photos, threads.map(lambda it: _decoded(it, rule), photos), strict=True), 1
        ):
            if isinstance(result, Unreadable):
                unreadable.append(result)
            else:
                pixels[len(kept)] = result[0]
                kept.append(photo)
                hashes.append(result[1])
            observe(done)
    _check_readable(photos, kept, unreadable)
    return DecodedPhotos(tuple(kept), pixels[: len(kept)], tuple(hashes), tuple(unreadable))


def _check_no_class_is_empty(folder: Path, by_folder: Mapping[str, Sequence[ImageRef]]) -> None:
    for path in _class_folders(folder):
        name = path.relative_to(folder).as_posix()
        if not any(each == name or each.startswith(f"{name}/") for each in by_folder):
            raise UsageError(f"the class folder {path} is empty; put photos there or remove it")


def _class_folders(folder: Path) -> list[Path]:
    inside = [path for path in sorted(folder.iterdir()) if path.is_dir() and _is_shown(path.name)]
    names = {path.name for path in inside}
    if TRAIN in names and names <= {TRAIN, TEST}:
        return [path for split in inside for path in sorted(split.iterdir()) if path.is_dir()]
    return inside


def _is_shown(name: str) -> bool:
    return not name.startswith((".", "__MACOSX", "Thumbs.db"))


def _by_folder(location: Location) -> dict[str, list[ImageRef]]:
    """Return the objects below `location` by their folder, relative to it."""
    prefix = location.key.rstrip("/") + "/" if location.key else ""
    by_folder: dict[str, list[ImageRef]] = {}
    for ref in open_store(location.root).list(prefix):
        inside = parse_location(ref.uri).key.removeprefix(prefix).split("/")
        if len(inside) > 1 and all(map(_is_shown, inside)):
            by_folder.setdefault("/".join(inside[:-1]), []).append(ref)
    return by_folder


def _under(by_folder: dict[str, list[ImageRef]], split: str) -> dict[str, list[ImageRef]]:
    inside = {
        name.removeprefix(f"{split}/"): refs
        for name, refs in by_folder.items()
        if name.startswith(f"{split}/")
    }
    return _top_level(inside)


def _top_level(by_folder: dict[str, list[ImageRef]]) -> dict[str, list[ImageRef]]:
    """Return the objects by their first folder, which is their class."""
    by_class: dict[str, list[ImageRef]] = {}
    for name, refs in by_folder.items():
        by_class.setdefault(name.split("/")[0], []).extend(refs)
    return by_class


def _photos(by_class: dict[str, list[ImageRef]], labels: Sequence[str]) -> tuple[Photo, ...]:
    return tuple(
        Photo(ref, labels.index(label))
        for label in sorted(by_class)
        for ref in sorted(by_class[label], key=lambda ref: ref.uri)
    )


def _decoded(photo: Photo, rule: ResizeRule) -> tuple[Pixels, str] | Unreadable:
    try:
        data = fetch(photo.ref)
        return decode(data, rule, DEFAULT_LIMITS).pixels, hashlib.sha256(data).hexdigest()
    except PictureError as error:
        return Unreadable(photo.ref.uri, str(error))


def _check_readable(
    photos: Sequence[Photo], kept: Sequence[Photo], unreadable: Sequence[Unreadable]
) -> None:
    lost_classes = {photo.label for photo in photos} - {photo.label for photo in kept}
    if unreadable and (lost_classes or len(unreadable) > _MAX_UNREADABLE * len(photos)):
        first = unreadable[0]
        raise UsageError(
            f"{len(unreadable)} of {len(photos)} files cannot be decoded, the first is "
            f"{first.uri} ({first.reason}); remove them, or give the right folder"
        )
