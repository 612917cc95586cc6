"""What a PCollection of pictures may hold, and its way to references and bytes."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Union

from apache_beam.io.fileio import ReadableFile
from apache_beam.io.filesystem import FileMetadata
from apache_beam.typehints import typehints
from apache_beam.typehints.decorators import TypeCheckError

from seefood.errors import ErrorCode, PictureError, UsageError
from seefood.imaging.limits import DEFAULT_LIMITS, MIB
from seefood.records import ImageRef
from seefood.sanitize import shown
from seefood.sources.completion import complete
from seefood.storage.uris import parse_location

Chunk = list[ImageRef]
"""References whose rows become one result object."""
_Bytes = bytes | bytearray | memoryview
ACCEPTED: Final = (
    str, Path, tuple[str, Union[_Bytes, None]], FileMetadata, ReadableFile, ImageRef, type(None),  # noqa: UP007 (for Beam)
)  # fmt: skip
"""The types of elements that are one picture; some names and contents may be None."""
_BATCH_PICTURES: Final = 128
_BATCH_BYTES: Final = 64 * MIB
_NAMES: Final = (
    "a URI or path, a key and bytes (tuple[str, bytes]), a match of fileio, or an ImageRef"
)


class ElementTypeError(UsageError, TypeCheckError):  # type: ignore[misc]  # Beam has no types
    """A PCollection with elements that a transform cannot take; raised at construction."""


@dataclass(frozen=True, slots=True)
class Image:
    """One picture: a reference, and its bytes if the element has them."""

    ref: ImageRef
    content: bytes | None = None
    error: PictureError | None = None
    """Why the element is no picture; then `ref` names it."""

    @property
    def size_bytes(self) -> int:
        """How much memory it takes before it is decoded."""
        return len(self.content) if self.content is not None else self.ref.size_bytes


class Batch:
    """Pictures that are classified together: as many as one exchange with the worker is worth."""

    def __init__(self) -> None:
        self._images: list[Image] = []
        self._size_bytes = 0

    def add(self, image: Image) -> None:
        """Add a picture."""
        self._images.append(image)
        self._size_bytes += image.size_bytes

    @property
    def is_full(self) -> bool:
        """Whether no more pictures should be added."""
        return len(self._images) >= _BATCH_PICTURES or self._size_bytes >= _BATCH_BYTES

    def take(self) -> list[Image]:
        """Return the pictures and forget them."""
        images, self._images, self._size_bytes = self._images, [], 0
        return images


def check_elements(transform: str, element_type: Any, accepted: Iterable[Any] = ACCEPTED) -> None:
    """Raise `ElementTypeError` unless a PCollection's type may be one of `accepted`.

    `Any`, which Beam infers for many lambdas, is accepted: a wrong element is then a failed row.
    """
    if not typehints.is_consistent_with(
        typehints.normalize(element_type),
        typehints.Union[tuple(map(typehints.normalize, accepted))],
    ):
        raise ElementTypeError(
            f"{transform} cannot take elements of {element_type!r}; an element is {_NAMES}"
        )


def check_iterable(elements: Any) -> None:
    """Raise `UsageError` for one element where a function takes several."""
    if not isinstance(elements, Iterable) or isinstance(elements, (str, bytes)):
        raise UsageError(f"{shown(elements)} is no list of elements")


def to_image(element: Any, max_bytes: int = DEFAULT_LIMITS.max_bytes) -> Image:
    """Return the picture that an element names; an element that is none has its `error` set.

    At most `max_bytes`, and one more, are read from a file system of Beam's.
    """
    try:
        image = _to_image(element, max_bytes)
        image.ref.uri.encode()
    except UnicodeEncodeError:
        error = PictureError(ErrorCode.UNSUPPORTED_NAME, "the key is no UTF-8, as rows have it")
    except UsageError as wrong:
        error = PictureError(ErrorCode.UNSUPPORTED_NAME, str(wrong))
    except PictureError as wrong:
        error = wrong
    else:
        return image
    return Image(ImageRef(_shown(element)), error=error)


def complete_images(images: Sequence[Image]) -> list[Image]:
    """Return `images`, with entity tags and sizes from the store for those that lack them.

    One request for each; a picture that the store does not have stays as it is.
    """
    named = [image for image in images if image.content is None and image.error is None]
    refs: Iterator[ImageRef] = complete(image.ref for image in named)
    completed = dict(zip(map(id, named), refs, strict=True))
    return [
        replace(image, ref=completed[id(image)]) if id(image) in completed else image
        for image in images
    ]


def _to_image(element: Any, max_bytes: int) -> Image:
    match element:
        case ImageRef():
            parse_location(element.uri)
            return Image(element)
        case str() | Path() if element:
            return Image(ImageRef(_uri(element)))
        case (str(key), bytes() | bytearray() | memoryview() as data) if key:
            content = bytes(data)
            # As S3 does for an object that is uploaded in one part.
            etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
            return Image(ImageRef(key, etag, len(content)), content)
        case FileMetadata():
            return _of_match(ReadableFile(element), max_bytes)
        case ReadableFile():
            return _of_match(element, max_bytes)
    raise UsageError(f"{shown(element)} is no picture; an element is {_NAMES}")


def _of_match(match: ReadableFile, max_bytes: int) -> Image:
    """Return a match of fileio: through our own store, or through Beam's for other file systems."""
    path = match.metadata.path
    try:
        return Image(ImageRef(_uri(path)))
    except UsageError:
        pass
    try:
        with match.open() as stream:
            return _to_image((path, stream.read(max_bytes + 1)), max_bytes)
    except Exception as error:  # anything that a file system of Beam's raises
        raise PictureError(ErrorCode.STORE_ERROR, f"{path}: {error}"[:500]) from error


def _uri(name: str | Path) -> str:
    return parse_location(name).uri


def _shown(element: Any) -> str:
    """Return what the row of an element that is no picture has as its URI."""
    match = getattr(element, "metadata", element)
    name = getattr(match, "uri", getattr(match, "path", match))
    is_text = isinstance(name, str) and name and name.isprintable()
    return name if is_text else shown(element)
