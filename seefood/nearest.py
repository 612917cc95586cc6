"""Proposes the name that was probably meant."""

from collections.abc import Iterable
from contextlib import suppress
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Final

_MAX_ENTRIES: Final = 10_000
"""Of a folder in which a name is looked for."""


def did_you_mean(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return `; did you mean …?` with the nearest of `known`, or nothing if none is near.

    `cutoff` is the least similarity, 0 to 1, as difflib measures it.
    """
    near = get_close_matches(name, list(known), n=1, cutoff=cutoff)
    return f"; did you mean {near[0]}?" if near else ""


def nearest_path(path: str | Path, known: Iterable[str] = ()) -> str:
    """Return `; did you mean …?` with the entry of the same folder whose name is nearest.

    `path` is a local path that does not exist, as the user wrote it. `known` are other names that
    it could have meant.
    """
    written = Path(path)
    places: dict[str, str] = {name: name for name in known}
    with suppress(OSError):
        entries = islice(written.parent.iterdir(), _MAX_ENTRIES)
        places.update((entry.name, str(entry)) for entry in entries)
    places.pop(written.name, None)  # it is there: something in it is missed
    near = get_close_matches(written.name, places, n=1)
    return f"; did you mean {places[near[0]]}?" if near else ""
