"""Reads the configuration; the only module that knows the names of the environment variables.

    SEEFOOD_RESULTS          where rows are written, as `seefood classify --output` takes it
    SEEFOOD_WATCHED          the prefixes whose uploads invoke the function, to detect a loop
    SEEFOOD_SUFFIXES         only uploads whose keys end with one of these are labelled
    SEEFOOD_ALLOWED_BUCKETS  the buckets whose objects a caller may name
    SEEFOOD_REMOVED          delete removes the row of a removed picture; keep is the default
    SEEFOOD_EVENT_BUS        each row is also an event on this EventBridge bus
    SEEFOOD_STACK            a dimension of all metrics, to distinguish functions
    SEEFOOD_TOKEN            what an HTTP caller must send, unless IAM let it in
    SEEFOOD_CORS_ORIGINS     the origins of other pages that may call, or *
    SEEFOOD_TAG              the key of the tag that gets the label; without it no tag is set
    SEEFOOD_MODEL            the bundle's folder; without it the built-in model
    SEEFOOD_MODEL_DIGEST     the model's digest, or at least its first 12 digits; another is refused
    SEEFOOD_FAST             run the fastest variant that loses at most so many percentage points
    SEEFOOD_TOP_K            how many labels a row lists
    SEEFOOD_MAX_BYTES        of one picture; larger ones get a row with an error
    SEEFOOD_MAX_PIXELS       width x height of one picture, from its header
    SEEFOOD_MAX_MEMORY       that decoding one picture may use, in bytes
    SEEFOOD_MAX_FRAMES       of an animation, whose first frame is labelled
    SEEFOOD_SALVAGE          1 labels a cut-off JPEG by the part that is readable, as unsure
    SEEFOOD_FEATURES         1 also stores each picture's features, for duplicates, like and teach

The defaults of bytes, pixels and memory follow from the function's memory. There is no time limit
for one picture: the function's own time-out ends a decoder that hangs.
Lists are separated by spaces or commas.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from seefood.bundle import default_bundle_path
from seefood.classification import ClassifyOptions
from seefood.errors import UsageError
from seefood.imaging.decode import DEFAULT_LIMITS, Limits
from seefood.results.files import OUTPUT_FOLDERS, UPLOADS
from seefood.storage.uris import Location, parse_location

_MIB: Final = 1024 * 1024
# Memory that the runtime, the libraries and the network use before the first picture, rounded up.
_BASE_BYTES: Final = 160 * _MIB
# The maximum that decoding uses for each decoded pixel, and for each pixel of a progressive JPEG,
# whose coefficients are all in memory whatever size is decoded; `seefood.imaging.memory_estimate`
# estimates both.
_BYTES_PER_DECODED_PIXEL: Final = 14
_BYTES_PER_PIXEL: Final = 6
_MIN_TOKEN_CHARACTERS: Final = 16


@dataclass(frozen=True, slots=True)
class HttpPolicy:
    """What callers over HTTP may do."""

    allowed_buckets: frozenset[str] = frozenset()
    """Whose objects a caller may name whom IAM let in; others may name none."""
    token: str | None = field(default=None, repr=False)
    """A shared secret that callers without IAM must send; None lets everybody in."""
    cors_origins: frozenset[str] = frozenset()
    """Origins of pages of others that may read responses; `*` is every one."""


@dataclass(frozen=True, slots=True)
class LambdaConfig:
    """The operator's configuration of the upload handler."""

    bundle: Path
    digest: str | None = None
    results: Location | None = None
    """None if the handler only responds and writes nothing."""
    allowed_buckets: frozenset[str] = frozenset()
    suffixes: tuple[str, ...] = ()
    """Of the keys of uploads to label; empty labels all."""
    tag: str | None = None
    removes_rows: bool = False
    event_bus: str | None = None
    stack: str | None = None
    token: str | None = field(default=None, repr=False)
    cors_origins: frozenset[str] = frozenset()
    options: ClassifyOptions = field(default_factory=ClassifyOptions)
    fast: float | None = None
    """How many percentage points a faster variant may lose; None runs the bundle itself."""

    @property
    def http(self) -> HttpPolicy:
        """What callers over HTTP may do."""
        return HttpPolicy(self.allowed_buckets, self.token, self.cors_origins)


def read_config(environ: Mapping[str, str]) -> LambdaConfig:
    """Return the configuration in `environ`. Raises `UsageError` for an invalid value."""
    results = _location(environ, "SEEFOOD_RESULTS")
    watched = [parse_location(text) for text in _uris(environ, "SEEFOOD_WATCHED")]
    if results is not None:
        refuse_loop(results, watched)
    return LambdaConfig(
        bundle=Path(environ.get("SEEFOOD_MODEL") or default_bundle_path()),
        digest=environ.get("SEEFOOD_MODEL_DIGEST") or None,
        fast=_points(environ, "SEEFOOD_FAST"),
        results=results,
        allowed_buckets=frozenset(_list(environ, "SEEFOOD_ALLOWED_BUCKETS")),
        suffixes=tuple(_list(environ, "SEEFOOD_SUFFIXES")),
        tag=environ.get("SEEFOOD_TAG") or None,
        removes_rows=_choice(environ, "SEEFOOD_REMOVED", ("keep", "delete")) == "delete",
        event_bus=environ.get("SEEFOOD_EVENT_BUS") or None,
        stack=environ.get("SEEFOOD_STACK") or None,
        token=_token(environ),
        cors_origins=frozenset(_list(environ, "SEEFOOD_CORS_ORIGINS")),
        options=ClassifyOptions(
            top_k=_number(environ, "SEEFOOD_TOP_K") or 5,
            limits=_limits(environ),
            salvage=_is_on(environ, "SEEFOOD_SALVAGE"),
            features=_is_on(environ, "SEEFOOD_FEATURES"),
        ),
    )


def limits_for(memory_mib: int) -> Limits:
    """Return the limits for one picture in a function with `memory_mib` of memory."""
    free = max(memory_mib * _MIB - _BASE_BYTES, _BASE_BYTES // 4)
    return Limits(
        max_bytes=min(DEFAULT_LIMITS.max_bytes, free // 6),
        max_pixels=min(DEFAULT_LIMITS.max_pixels, free // _BYTES_PER_PIXEL),
        max_decoded_pixels=min(DEFAULT_LIMITS.max_decoded_pixels, free // _BYTES_PER_DECODED_PIXEL),
        max_decode_bytes=min(DEFAULT_LIMITS.max_decode_bytes, free),
    )


def refuse_loop(results: Location, watched: list[Location]) -> None:
    """Raise `UsageError` if rows written to `results` would invoke the function as uploads."""
    for prefix in watched:
        if results.root == prefix.root and results.child(UPLOADS).key.startswith(prefix.key):
            raise UsageError(
                f"the results {results.uri} are inside {prefix.uri}, whose uploads invoke this "
                "function: each row would start it again; write to another bucket, or watch a "
                "prefix that the results are not in"
            )


def is_own_output(uri: str, results: Location | None) -> bool:
    """Whether `uri` is an object that seefood wrote below `results`."""
    if results is None:
        return False
    return any(uri.startswith(results.child(f"{name}/").uri) for name in OUTPUT_FOLDERS)


def _limits(environ: Mapping[str, str]) -> Limits:
    memory = _number(environ, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    defaults = limits_for(memory) if memory else DEFAULT_LIMITS
    return Limits(
        max_bytes=_number(environ, "SEEFOOD_MAX_BYTES") or defaults.max_bytes,
        max_pixels=_number(environ, "SEEFOOD_MAX_PIXELS") or defaults.max_pixels,
        max_decoded_pixels=defaults.max_decoded_pixels,
        max_decode_bytes=_number(environ, "SEEFOOD_MAX_MEMORY") or defaults.max_decode_bytes,
        max_frames=_number(environ, "SEEFOOD_MAX_FRAMES") or defaults.max_frames,
    )


def _is_on(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").lower() in ("1", "true", "yes", "on")


def _choice(environ: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """Return the value of a variable that has one of few; the first is the default."""
    text = environ.get(name) or choices[0]
    if text not in choices:
        raise UsageError(f"{name} is {text!r}; it must be {' or '.join(choices)}")
    return text


def _token(environ: Mapping[str, str]) -> str | None:
    token = environ.get("SEEFOOD_TOKEN") or None
    if token is not None and len(token) < _MIN_TOKEN_CHARACTERS:
        raise UsageError(
            f"SEEFOOD_TOKEN has {len(token)} characters, which can be guessed; it must have at "
            f"least {_MIN_TOKEN_CHARACTERS}"
        )
    return token


def _location(environ: Mapping[str, str], name: str) -> Location | None:
    text = environ.get(name)
    return parse_location(text) if text else None


def _list(environ: Mapping[str, str], name: str) -> list[str]:
    return environ.get(name, "").replace(",", " ").split()


def _uris(environ: Mapping[str, str], name: str) -> list[str]:
    """Return a list of URIs; a prefix may contain spaces and commas."""
    text = environ.get(name, "").strip(" ,")
    return re.split(r"[ ,]+(?=\w+://)", text) if "://" in text else _list(environ, name)


def _points(environ: Mapping[str, str], name: str) -> float | None:
    text = environ.get(name)
    if not text:
        return None
    try:
        points = float(text)
    except ValueError:
        points = math.nan
    if not 0 <= points <= 100:
        raise UsageError(
            f"{name} is {text!r}; it must be a number of percentage points from 0 to 100, such as "
            "0.5, or empty"
        )
    return points


def _number(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name)
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise UsageError(f"{name} is {text!r}; it must be a whole number of at least 1")
    return int(text)
