"""From the text of a source to its value.

Paths, URIs and globs are built in. A new kind of source is a module with a class like
`seefood.sources.base.Source` and a function that parses its text, registered with
`register_source`.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any, Final

from seefood.errors import UsageError
from seefood.sanitize import shown
from seefood.sources.base import Source
from seefood.sources.locations import parse_location_source

Parse = Callable[[str], Source]

_BY_SCHEME: Final[dict[str, Parse]] = {}
_BY_SUFFIX: Final[dict[str, Parse]] = {}


def register_source(parse: Parse, *, scheme: str = "", suffix: str = "") -> None:
    """Let `parse` make the sources whose text begins with `scheme://` or ends with `.suffix`.

    `parse` raises `UsageError` for a text that names nothing. Raises `ValueError` if the scheme or
    the suffix is registered already.
    """
    for key, table in ((scheme, _BY_SCHEME), (suffix, _BY_SUFFIX)):
        if key in table:
            raise ValueError(f"{key!r} is registered already")
        if key:
            table[key] = parse


def parse_source(text: str) -> Source:
    """Return the source that `text` names. Raises `UsageError` if it names nothing."""
    scheme, mark, _ = text.partition("://")
    parse = _BY_SCHEME.get(scheme.lower()) if mark else None
    parse = parse or _BY_SUFFIX.get(text.rpartition(".")[2])
    return (parse or parse_location_source)(text)


def parse_sources(sources: Iterable[Any]) -> tuple[Source, ...]:
    """Return the sources that texts, paths and sources name. Raises `UsageError` for others."""
    return tuple(map(_as_source, sources))


def _as_source(source: Any) -> Source:
    if isinstance(source, (str, os.PathLike)):
        return parse_source(os.fsdecode(source))
    if not isinstance(source, Source):
        raise UsageError(f"{shown(source)} is no source; give a path or a URI")
    return source
