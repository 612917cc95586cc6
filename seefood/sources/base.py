"""The protocol of sources."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from seefood.records import ImageRef, ListingNote


@runtime_checkable
class Source(Protocol):
    """Where pictures are listed: a frozen value that the launcher sends to workers.

    Paths in it are absolute, so it means the same in another working directory.
    """

    @property
    def text(self) -> str:
        """What the user gave, for messages and for the run's summary."""

    @property
    def empty_message(self) -> str:
        """The message for the user if it lists nothing."""

    @property
    def is_exact(self) -> bool:
        """Whether each object is listed once, with its entity tag and size, as stores list them.

        Otherwise duplicates are removed, and missing tags are requested from the store.
        """

    def list(self) -> Iterator[ImageRef]:
        """Yield the objects. Raises `UsageError` if the source is absent or cannot be read."""


@runtime_checkable
class NotingSource(Protocol):
    """A source of which a part may be impossible to list."""

    def walk(self) -> Iterator[ImageRef | ListingNote]:
        """Yield what `list` does, and notes about what was left out."""


@runtime_checkable
class CheckedSource(Protocol):
    """A source that can be wrong in its middle, such as a list that a person has written."""

    def check(self) -> None:
        """Read all of it, without any object. Raises `UsageError` for the first fault."""
