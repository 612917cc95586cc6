"""Proposes the name that was probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return `; did you mean …?` with the nearest of `known`, or nothing if none is near.

    `cutoff` is the least similarity, 0 to 1, as difflib measures it.
    """
    near = get_close_matches(name, list(known), n=1, cutoff=cutoff)
    return f"; did you mean {near[0]}?" if near else ""
