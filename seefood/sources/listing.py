"""From what the user typed to references: folders, files, globs, prefixes and manifests, lazily."""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from seefood.errors import UsageError
from seefood.records import ImageRef
from seefood.results.files import RESULTS, RUNS, UPLOADS
from seefood.sources.filters import Selection
from seefood.sources.manifests import Manifest, complete, read_manifest
from seefood.storage import open_store
from seefood.storage.local import LocalFiles
from seefood.storage.uris import Location, compile_glob, parse_location, split_glob


@dataclass(frozen=True, slots=True)
class Source:
    """One place to list."""

    text: str
    """As the user gave it, for messages."""
    location: Location
    """Where listing starts: a file, a folder, or a key prefix."""
    pattern: re.Pattern[str] | None
    """What whole keys must match; None takes every object."""
    deepest: int | None = None
    """How many slashes a key that matches has; None if it may have any number."""


def parse_source(text: str) -> Source:
    """Return the source that `text` names: a path, a URI, or a glob over either.

    A path that exists is taken literally, also with a `[` in its name. Raises `UsageError`.
    """
    location = parse_location(text)
    if location.is_local and os.path.lexists(location.key):
        return Source(text, location, None)
    prefix, pattern = split_glob(location.key)
    if pattern is None:
        if location.is_local:
            raise UsageError(f"there is nothing at {text}; check the path")
        return Source(text, location, None)
    deepest = None if "**" in pattern else pattern.count("/")
    return Source(text, Location(location.root, prefix), compile_glob(pattern), deepest)


def list_source(source: Source) -> Iterator[ImageRef]:
    """Yield the objects of one source, in the store's order. Raises `UsageError`.

    In an object store a key that is exactly the source is that one object; anything else is a
    prefix, as text: end it with `/` to mean a folder.
    """
    store = open_store(source.location.root)
    if source.pattern is None:
        yield from _exact_or_all(store.list(source.location.key), source.location)
        return
    if isinstance(store, LocalFiles):
        refs = store.list(source.location.key, source.deepest)
    else:
        refs = store.list(source.location.key)
    for ref in refs:
        if source.pattern.fullmatch(parse_location(ref.uri).key):
            yield ref


def list_sources(
    sources: Sequence[Source | Manifest],
    output: Location | None = None,
    selection: Selection = Selection(),  # noqa: B008 (a frozen value)
) -> Iterator[ImageRef]:
    """Yield the selected objects of all sources, each once, without what runs wrote to `output`.

    Remembers 16 bytes an object when there are several sources or a manifest, else nothing.
    Raises `UsageError` for a source that cannot be listed.
    """
    listed = len(sources) > 1 or any(isinstance(source, Manifest) for source in sources)
    seen: set[bytes] | None = set() if listed else None
    own = _written_below(output) if output is not None else ()
    for source in sources:
        refs = read_manifest(source) if isinstance(source, Manifest) else list_source(source)
        named = _named(refs, own, selection, seen)
        # A manifest may tell names only: the store is asked for what is left of them.
        for ref in complete(named) if isinstance(source, Manifest) else named:
            if selection.has_age(ref):
                yield ref


def _named(
    refs: Iterable[ImageRef],
    own: tuple[str, ...],
    selection: Selection,
    seen: set[bytes] | None,
) -> Iterator[ImageRef]:
    """Yield those of `refs` whose names are wanted and new to `seen`."""
    for ref in refs:
        if ref.uri.startswith(own) or not selection.has_name(ref.uri):
            continue
        if seen is not None:
            name = ref.uri.encode("utf-8", "surrogatepass")
            key = hashlib.blake2b(name, digest_size=16).digest()
            if key in seen:
                continue
            seen.add(key)
        yield ref


def check_sources(sources: Iterable[Source | Manifest], output: Location | None = None) -> None:
    """Raise `UsageError` if a source cannot be listed or names no object at all.

    A source of which the selection keeps nothing is no error: tonight there may be nothing new.
    """
    for source in sources:
        if isinstance(source, Manifest):
            if next(read_manifest(source), None) is None:
                raise UsageError(f"the {source.text} lists no picture; check the file")
        elif next(list_sources([source], output), None) is None:
            kind = "matches no object" if source.pattern else "holds no picture"
            raise UsageError(f"the source {source.text} {kind}; check the path or the pattern")


def _exact_or_all(refs: Iterator[ImageRef], location: Location) -> Iterator[ImageRef]:
    for ref in refs:
        yield ref
        # Keys are sorted, so the object of exactly this name comes first or not at all.
        if location.key and not location.is_local and ref.uri == location.uri:
            return


def _written_below(output: Location) -> tuple[str, ...]:
    """Return how the URIs of results begin; pictures beside them are pictures like any other."""
    return tuple(
        output.child(name).uri for name in (f"{RESULTS}/digest=", f"{UPLOADS}/digest=", f"{RUNS}/")
    )
