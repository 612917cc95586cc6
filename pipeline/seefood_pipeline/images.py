"""What a PCollection of pictures may hold, and its way to references and bytes."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from apache_beam.io.fileio import ReadableFile
from apache_beam.io.filesystem import FileMetadata
from apache_beam.typehints import typehints
from apache_beam.typehints.decorators import TypeCheckError

from seefood.errors import ErrorCode, PictureError, UsageError
from seefood.imaging.limits import MIB
from seefood.records import ImageRef
from seefood.sources.completion import complete
from seefood.storage.uris import parse_location

Chunk = list[ImageRef]
"""References whose rows become one result object."""
ACCEPTED: Final = (str, tuple[str, bytes], FileMetadata, ReadableFile, ImageRef, type(None))
"""The types of elements that are one picture; of a column of names some may be None."""
_BATCH_PICTURES: Final = 128
_BATCH_BYTES: Final = 64 * MIB
_NAMES: Final = (
    "a URI (str), a key and bytes (tuple[str, bytes]), a match of fileio, or an ImageRef"
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


def to_image(element: Any) -> Image:
    """Return the picture that an element names; an element that is none has its `error` set."""
    try:
        return _to_image(element)
    except UsageError as error:
        ref = ImageRef(_shown(element))
        return Image(ref, error=PictureError(ErrorCode.UNSUPPORTED_NAME, str(error)))


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


def _to_image(element: Any) -> Image:
    match element:
        case ImageRef():
            return Image(element)
        case str() if element:
            return Image(ImageRef(_uri(element)))
        case (str(key), bytes(content)):
            # As S3 does for an object that is uploaded in one part.
            etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
            return Image(ImageRef(key, etag, len(content)), content)
        case FileMetadata():
            return Image(ImageRef(_uri(element.path)))
        case ReadableFile():
            return _of_match(element)
    raise UsageError(f"{_shown(element)} is no picture; an element is {_NAMES}")


def _of_match(match: ReadableFile) -> Image:
    """Return a match of fileio: through our own store, or through Beam's for other file systems."""
    path = match.metadata.path
    try:
        return Image(ImageRef(_uri(path)))
    except UsageError:
        return _to_image((path, match.read()))


def _uri(name: str) -> str:
    return parse_location(name).uri


def _shown(element: Any) -> str:
    return element if isinstance(element, str) and element else repr(element)[:200]
