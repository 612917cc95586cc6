"""The protocol of sources."""

from collections.abc import Iterator
from typing import Protocol

from seefood.records import ImageRef


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
