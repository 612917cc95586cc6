"""Labelled photos, local or in a bucket, decoded as bundles decode them.

`seefood_training.layouts` reads the labels from folders or tables. Photos are to train on, to
validate with or to report on; training never reads the latter. A file that cannot be decoded is
left out and reported; if more than one in ten cannot be decoded, the set is refused.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Final
from unicodedata import category, normalize

import numpy as np
from numpy.typing import NDArray

from seefood.errors import PictureError, UsageError
from seefood.imaging.decode import DEFAULT_LIMITS, Pixels, ResizeRule, decode
from seefood.records import ImageRef
from seefood.storage import fetch
from seefood_training.fingerprints import Fingerprint, fingerprint
from seefood_training.layouts import Found, LeftOut, Part, find_photos
from seefood_training.layouts.corrected import with_corrections

_MAX_UNREADABLE: Final = 0.1
_THREADS: Final = 4


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo with its class."""

    ref: ImageRef
    label: int
    """Index into the set's labels."""

    @property
    def name(self) -> str:
        """The file's name, without its folder."""
        return self.ref.uri.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class PhotoSet:
    """The photos of DATA."""

    labels: tuple[str, ...]
    """The names of the classes, sorted."""
    train: tuple[Photo, ...]
    test: tuple[Photo, ...]
    """Empty unless DATA says which photos are for testing."""
    validation: tuple[Photo, ...] = ()
    """Empty unless DATA says which photos are for validation."""
    left_out: tuple[LeftOut, ...] = ()
    """Lines of a table that give no photo."""
    layout: str = ""
    """What DATA was read as, such as `one folder per class`."""
    notes: tuple[str, ...] = ()
    """What a person should know about how DATA was read, a sentence each."""
    more_classes: str = ""
    """What to do if all photos to train on are of one class, as the end of a sentence."""

    @property
    def told(self) -> tuple[str, ...]:
        """What a person should know about how DATA was read, with each line that gives no photo."""
        return (*self.notes, *(f"left out: {line.uri} ({line.reason})" for line in self.left_out))

    @property
    def summary(self) -> str:
        """What was found, in one line."""
        parts = (("to train on", self.train), ("for validation", self.validation))
        counts = [
            f"{len(photos):,} {use}"
            for use, photos in (*parts, ("for testing", self.test))
            if photos
        ]
        return f"{len(self.labels)} classes, {', '.join(counts)} ({self.layout})"


@dataclass(frozen=True, slots=True)
class DecodedPhotos:
    """Photos with their pixels, in the same order."""

    photos: tuple[Photo, ...]
    pixels: Pixels
    """RGB of shape `(n, height, width, 3)`."""
    sha256: tuple[str, ...]
    """Of each file's bytes, hexadecimal."""
    unreadable: tuple[LeftOut, ...]
    fingerprints: tuple[Fingerprint, ...] = ()
    """Of each photo, if they were asked for."""

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
            fingerprints=tuple(self.fingerprints[index] for index in chosen if self.fingerprints),
        )


def read_photo_set(data: str, *, nested: bool = False, corrections: str | None = None) -> PhotoSet:
    """Return the photos of `data`, a folder, a table of labels, or the URI of either.

    Sorted by class and name. `corrections` is an output whose corrections count (see
    `seefood_training.layouts.corrected`). With `nested`, each innermost folder is a class. Raises
    `UsageError` for data that is absent or contradicts its layout, for fewer than two classes to
    train on, for a class without a photo to train on, and if more than one line in ten of a table
    gives no photo.
    """
    photo_set = read_labelled(data, nested=nested, corrections=corrections)
    here = {photo_set.labels[photo.label] for photo in photo_set.train}
    if len(here) < 2:
        content = f"only the class {min(here)!r}" if here else "no class with a photo"
        where = " to train on" if photo_set.validation or photo_set.test else ""
        told = f" ({'; '.join(photo_set.notes)})" if photo_set.notes else ""
        raise UsageError(f"{data} has {content}{where}; {photo_set.more_classes}{told}")
    if unknown := sorted(set(photo_set.labels) - here):
        raise UsageError(
            f"{data} has the class {unknown[0]!r} to test or validate with and not to train on; "
            "add photos of it to train on, or remove it"
        )
    return photo_set


def read_labelled(
    data: str | None,
    *,
    nested: bool = False,
    corrections: str | None = None,
    to_measure: bool = False,
) -> PhotoSet:
    """Return the photos of `data` as `read_photo_set` does, with any number of classes.

    Without `data` those of the `corrections` alone. `to_measure` adds corrected pictures to the
    photos that a bundle is measured on.
    """
    found = None if data is None else find_photos(data, nested=nested)
    if found is not None:
        _check_left_out(found, str(data))
    if corrections is not None:
        found = with_corrections(found, corrections, to_measure=to_measure)
    if found is None:
        raise UsageError("there are neither labelled photos nor corrections; give one of them")
    labels = tuple(sorted({photo.label for photo in found.photos}))
    for label in labels:
        _check_name(label, data or str(corrections))
    index = {label: number for number, label in enumerate(labels)}

    def part(wanted: Part) -> tuple[Photo, ...]:
        chosen = [photo for photo in found.photos if photo.part is wanted]
        chosen.sort(key=lambda photo: (photo.label, photo.ref.uri))
        return tuple(Photo(photo.ref, index[photo.label]) for photo in chosen)

    return PhotoSet(
        labels,
        part(Part.TRAIN),
        part(Part.TEST),
        part(Part.VALIDATION),
        found.left_out,
        found.layout,
        (*found.notes, *_alike_names(labels)),
        found.more_classes,
    )


def decode_photos(
    photos: Sequence[Photo],
    rule: ResizeRule,
    *,
    labels: Sequence[str] = (),
    fingerprints: bool = False,
    observe: Callable[[int], None] = lambda _: None,
) -> DecodedPhotos:
    """Return `photos` decoded by `rule`, in their order, without those that cannot be decoded.

    With `fingerprints`, also with those, which takes about as long again. `observe` is called with
    the number of photos done. Raises `UsageError` if more than one in ten cannot be decoded or a
    class is left with none; `labels` are the classes' names, for the message.
    """
    shape = (len(photos), rule.height, rule.width, 3)
    pixels = np.empty(shape, np.uint8)
    kept: list[Photo] = []
    hashes: list[str] = []
    prints: list[Fingerprint] = []
    unreadable: list[LeftOut] = []
    read = partial(_decoded, rule=rule, with_fingerprint=fingerprints)
    with ThreadPoolExecutor(_THREADS) as threads:
        for done, (photo, file) in enumerate(
            zip(photos, threads.map(read, photos), strict=True), 1
        ):
            if isinstance(file, LeftOut):
                unreadable.append(file)
            else:
                pixels[len(kept)] = file.pixels
                kept.append(photo)
                hashes.append(file.sha256)
                prints += [file.fingerprint] if file.fingerprint else []
            observe(done)
    _check_readable(photos, kept, unreadable, labels)
    return DecodedPhotos(
        tuple(kept),
        pixels[: len(kept)],
        tuple(hashes),
        tuple(unreadable),
        tuple(prints),
    )


def _check_name(label: str, data: str) -> None:
    try:
        label.encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{data} has the class {label!r}, whose name is not UTF-8; rename it"
        ) from error
    if not label:
        raise UsageError(f"{data} has a class with an empty name; rename it")


def _check_left_out(found: Found, data: str) -> None:
    lines, first = len(found.photos) + len(found.left_out), next(iter(found.left_out), None)
    if first is not None and len(found.left_out) > _MAX_UNREADABLE * lines:
        raise UsageError(
            f"{len(found.left_out):,} of {lines:,} lines of {data} give no photo with a label, the "
            f"first is {first.uri} ({first.reason}); correct the table (names are relative to its "
            "folder)"
        )


def _alike_names(labels: Sequence[str]) -> tuple[str, ...]:
    """Return a sentence if two classes are probably one, with its name written in two ways."""
    plain: dict[str, str] = {}
    for label in labels:
        visible = "".join(it for it in normalize("NFKC", label) if category(it) != "Cf")
        other = plain.setdefault(" ".join(visible.casefold().replace("_", " ").split()), label)
        if other != label:
            note = (
                f"the classes {other!r} and {label!r} differ only in case, blanks or characters "
                "that are not seen; if they are one class, give it one name"
            )
            return (note,)
    return ()


@dataclass(frozen=True, slots=True)
class _File:
    pixels: Pixels
    sha256: str
    fingerprint: Fingerprint | None


def _decoded(photo: Photo, *, rule: ResizeRule, with_fingerprint: bool) -> _File | LeftOut:
    try:
        data = fetch(photo.ref)
        pixels = decode(data, rule, DEFAULT_LIMITS).pixels
        own = fingerprint(data) if with_fingerprint else None
        return _File(pixels, own.sha256 if own else hashlib.sha256(data).hexdigest(), own)
    except PictureError as error:
        return LeftOut(photo.ref.uri, str(error))


def _check_readable(
    photos: Sequence[Photo],
    kept: Sequence[Photo],
    unreadable: Sequence[LeftOut],
    labels: Sequence[str],
) -> None:
    if not unreadable:
        return
    lost = {photo.label for photo in photos} - {photo.label for photo in kept}
    if lost and labels:
        label = min(lost)
        files = [photo.ref.uri for photo in photos if photo.label == label]
        first = next(each for each in unreadable if each.uri == files[0])
        raise UsageError(
            f"none of the {len(files)} files of the class {labels[label]!r} can be decoded, the "
            f"first is {first.uri} ({first.reason}); put photos there, or remove the class"
        )
    if lost or len(unreadable) > _MAX_UNREADABLE * len(photos):
        first = unreadable[0]
        raise UsageError(
            f"{len(unreadable)} of {len(photos)} files cannot be decoded, the first is "
            f"{first.uri} ({first.reason}); remove them, or give the right folder"
        )
