"""Formats durations, sizes and the comparison of a run with its estimate."""

from collections.abc import Mapping
from typing import Any


def duration(seconds: float) -> str:
    """Return `12 s`, `3.4 min` or `2.1 h`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def size(count: float) -> str:
    """Return `340 kB`, `12 MB` or `1.3 GB`."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count:.0f} bytes"


def beside(quote: Mapping[str, Any], receipt: Mapping[str, Any]) -> str:
    """Return one line that compares what a run took with its estimate."""
    seconds, usd = quote["seconds"], quote["usd"]["machine"]
    return (
        f"Quoted {duration(seconds['expected'])} ({duration(seconds['low'])} to "
        f"{duration(seconds['high'])}) and ${usd['expected']:.4f} on one machine; took "
        f"{duration(receipt['seconds'])} and ${receipt['usd']['machine']:.4f}"
    )
