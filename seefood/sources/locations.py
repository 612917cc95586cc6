"""Sources that a store lists: a file, a folder, a key prefix, or a glob over keys."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from seefood.errors import UsageError
from seefood.nearest import nearest_path
from seefood.records import ImageRef, ListingNote
from seefood.storage import open_store
from seefood.storage.local import LocalFiles
from seefood.storage.uris import Location, compile_glob, parse_location, split_glob


@dataclass(frozen=True, slots=True)
class Prefix:
    """A file, a folder, or all keys with a prefix.

    In an object store a key that is exactly the prefix is that one object. Anything else is a
    prefix of keys, as text: it ends with `/` to mean a folder.
    """

    text: str
    location: Location
    is_exact: bool = True

    @property
    def empty_message(self) -> str:
        """See `Source.empty_message`."""
        return f"the source {self.text} holds no picture; check the path or the pattern"

    def list(self) -> Iterator[ImageRef]:
        """See `Source.list`."""
        return (item for item in self.walk() if isinstance(item, ImageRef))

    def walk(self) -> Iterator[ImageRef | ListingNote]:
        """See `NotingSource.walk`."""
        if self.location.is_local and not os.path.lexists(self.location.key):
            near = nearest_path(self.text)
            raise UsageError(f"there is nothing at {self.text}; check the path{near}")
        if self.location.is_local:
            yield from LocalFiles().walk(self.location.key)
            return
        for ref in open_store(self.location.root).list(self.location.key):
            yield ref
            # Keys are sorted: an object with exactly this key is the first one.
            if self.location.key and ref.uri == self.location.uri:
                return


@dataclass(frozen=True, slots=True)
class Glob:
    """The keys that match a pattern."""

    text: str
    location: Location
    """Where listing starts: the part of the pattern before the first wildcard."""
    pattern: re.Pattern[str]
    """What whole keys must match."""
    max_slashes: int | None
    """How many slashes a matching key has; None if any number."""
    is_exact: bool = True

    @property
    def empty_message(self) -> str:
        """See `Source.empty_message`."""
        message = f"the source {self.text} matches no object; check the path or the pattern"
        caseless = replace(
            self, pattern=re.compile(self.pattern.pattern, re.DOTALL | re.IGNORECASE)
        )
        found = next((each for each in caseless.list() if isinstance(each, ImageRef)), None)
        if found is None:
            return message
        name = parse_location(found.uri).key.rpartition("/")[2]
        return f"{message}: patterns tell capitals from small letters, and there is {name}"

    def list(self) -> Iterator[ImageRef]:
        """See `Source.list`."""
        return (item for item in self.walk() if isinstance(item, ImageRef))

    def walk(self) -> Iterator[ImageRef | ListingNote]:
        """See `NotingSource.walk`."""
        if self.location.is_local:
            items = LocalFiles().walk(self.location.key, self.max_slashes)
        else:
            items = open_store(self.location.root).list(self.location.key)
        for item in items:
            if isinstance(item, ListingNote) or self.pattern.fullmatch(
                parse_location(item.uri).key
            ):
                yield item


def parse_location_source(text: str) -> Prefix | Glob:
    """Return the source of a path, a URI, or a glob over either.

    A path that exists is taken literally, even with a `[` in its name. Raises `UsageError`.
    """
    location = parse_location(text)
    if location.is_local and os.path.lexists(location.key):
        return Prefix(text, location)
    start, pattern = split_glob(location.key)
    if pattern is None:
        return Prefix(text, location)
    max_slashes = None if "**" in pattern else pattern.count("/")
    return Glob(text, Location(location.root, start), compile_glob(pattern), max_slashes)
