"""Filters over listed objects: by name, by age, by a reproducible sample.

A pattern without a slash is matched against the last part of a key, one with a slash against the
whole key or its end (`raw/*.jpg` matches in any folder `raw`). Wildcards are those of sources.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from numbers import Integral, Real
from typing import Final

from seefood.errors import UsageError
from seefood.records import ImageRef
from seefood.sanitize import shown
from seefood.storage.uris import compile_glob, parse_location

_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which listed objects are kept; the default keeps all."""

    include: tuple[str, ...] = ()
    """Unless empty, a name must match one of these."""
    exclude: tuple[str, ...] = ()
    """A name must match none of these."""
    since: float | None = None
    """Keep objects of this time or later, in POSIX seconds, and those without a time."""
    sample: float = 1.0
    """Keep this share, in (0, 1]; whether an object is kept depends on its URI alone."""

    def __post_init__(self) -> None:
        """Raise `UsageError` for values that select nothing, or are of another type."""
        for name, patterns in (("include", self.include), ("exclude", self.exclude)):
            if not isinstance(patterns, tuple) or not all(isinstance(p, str) for p in patterns):
                raise UsageError(f"{name} is {shown(patterns)}; it is patterns such as '*.jpg'")
        if not isinstance(self.sample, Real) or not 0.0 < self.sample <= 1.0:
            raise UsageError(f"sample is {self.sample!r}; it is a share above 0 and up to 1")
        if self.since is not None and not isinstance(self.since, Real):
            raise UsageError(f"since is {self.since!r}; it is a time in POSIX seconds")

    def has_name(self, uri: str) -> bool:
        """Whether an object with this URI passes the sample and the patterns."""
        if self.sample < 1.0 and _position(uri) >= self.sample:
            return False
        if not (self.include or self.exclude):
            return True
        key = parse_location(uri).key
        if self.include and not any(matches_name(pattern, key) for pattern in self.include):
            return False
        return not self.excludes(uri)

    def excludes(self, uri: str) -> bool:
        """Whether a pattern excludes an object with this URI."""
        if not self.exclude:
            return False
        key = parse_location(uri).key
        return any(matches_name(pattern, key) for pattern in self.exclude)

    def has_age(self, ref: ImageRef) -> bool:
        """Whether the object passes `since`."""
        return self.since is None or ref.modified is None or ref.modified >= self.since


def check_limit(limit: int | None) -> None:
    """Raise `UsageError` unless `limit` is a number of objects to take, or None for all."""
    if limit is not None and not (isinstance(limit, Integral) and limit >= 1):
        raise UsageError(f"limit is {limit!r}; it is a number of objects, at least 1")


def parse_since(text: str, now: datetime) -> float:
    """Return `text` in POSIX seconds: an ISO date or time, or an age such as `36h`.

    A time without a zone is UTC. Raises `UsageError` for anything else.
    """
    try:
        if age := re.fullmatch(r"(\d+)\s*([mhdw])", text):
            moment = now - timedelta(**{_UNITS[age[2]]: int(age[1])})
        else:
            moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{text!r} is not a time; `--since` takes 2026-11-23, 2026-11-23T16:00Z or an age such "
            "as 90m, 36h, 7d, 2w"
        ) from error


def _position(uri: str) -> float:
    """Return a number in [0, 1) from the URI's hash, uniformly distributed."""
    text = f"sample {uri}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") / 2**64


def matches_name(pattern: str, key: str, flags: int = 0) -> bool:
    """Whether a key, or its last part if the pattern has no slash, matches `pattern`."""
    whole, expression = _compiled(pattern, flags)
    return expression.fullmatch(key if whole else key.rpartition("/")[2]) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str, flags: int) -> tuple[bool, re.Pattern[str]]:
    if "/" not in pattern:
        return False, compile_glob(pattern, flags)
    whole = pattern if pattern.startswith(("/", "**/")) else f"**/{pattern}"
    return True, compile_glob(whole, flags)
