"""The settings: the only module that knows the names of environment variables.

    SEEFOOD_RESULTS          where rows are written, as `seefood classify --output` takes it
    SEEFOOD_WATCHED          the prefixes whose uploads arrive here, so that a loop is refused
    SEEFOOD_ALLOWED_BUCKETS  the buckets whose objects a caller may name
    SEEFOOD_TAG              the key of the tag that carries the label; none without it
    SEEFOOD_MODEL            the bundle's folder; the one in the package without it
    SEEFOOD_MODEL_DIGEST     the model's digest, or its first 12 digits or more: another is refused
    SEEFOOD_TOP_K            how many labels a row lists
    SEEFOOD_MAX_BYTES        of one picture; larger ones get a failure row
    SEEFOOD_MAX_PIXELS       width x height of one picture, as its header states them
    SEEFOOD_MAX_MEMORY       what decoding one may hold, in bytes
    SEEFOOD_MAX_FRAMES       of an animation, whose first frame is labelled
    SEEFOOD_SALVAGE          1 labels a cut-off JPEG by what it still shows, as unsure

Bytes, pixels and memory are by default what the function's memory can carry. There are no seconds
for one picture here: the function's own time-out ends what hangs.
Lists are separated by spaces or commas.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from seefood.bundle import default_bundle_path
from seefood.classify import ClassifyOptions as Judging
from seefood.errors import UsageError
from seefood.imaging.decode import DEFAULT_LIMITS, Limits
from seefood.results.files import RESULTS, RUNS, UPLOADS
from seefood.storage.uris import Location, parse_location

_MIB: Final = 1024 * 1024
# What the runtime, the libraries and the network take before the first picture, rounded up.
_BASE_BYTES: Final = 160 * _MIB
# The most that decoding takes per pixel that lies in memory, and per pixel of a progressive JPEG,
# whose coefficients are held in full whatever size is decoded; `seefood.imaging.memory_estimate`
# estimates each.
_BYTES_PER_DECODED_PIXEL: Final = 14
_BYTES_PER_PIXEL: Final = 6


@dataclass(frozen=True, slots=True)
class LambdaConfig:
    """Everything that an operator decides about the door."""

    bundle: Path
    digest: str | None = None
    results: Location | None = None
    """None for a door that only answers and writes nothing."""
    allowed_buckets: frozenset[str] = frozenset()
    tag: str | None = None
    classify_options: Judging = field(default_factory=Judging)


def read_settings(environ: Mapping[str, str]) -> LambdaConfig:
    """Return the settings in `environ`. Raises `UsageError` for one that makes no sense."""
    results = _location(environ, "SEEFOOD_RESULTS")
    watched = [parse_location(text) for text in _list(environ, "SEEFOOD_WATCHED")]
    if results is not None:
        refuse_loop(results, watched)
    return LambdaConfig(
        bundle=Path(environ.get("SEEFOOD_MODEL") or default_bundle_path()),
        digest=environ.get("SEEFOOD_MODEL_DIGEST") or None,
        results=results,
        allowed_buckets=frozenset(_list(environ, "SEEFOOD_ALLOWED_BUCKETS")),
        tag=environ.get("SEEFOOD_TAG") or None,
        classify_options=Judging(
            top_k=_number(environ, "SEEFOOD_TOP_K") or 5,
            limits=_limits(environ),
            salvage=environ.get("SEEFOOD_SALVAGE", "").lower() in ("1", "true", "yes", "on"),
        ),
    )


def limits_for(memory_mib: int) -> Limits:
    """Return what one picture may ask for in a function of `memory_mib` of memory."""
    free = max(memory_mib * _MIB - _BASE_BYTES, _BASE_BYTES // 4)
    return Limits(
        max_bytes=min(DEFAULT_LIMITS.max_bytes, free // 6),
        max_pixels=min(DEFAULT_LIMITS.max_pixels, free // _BYTES_PER_PIXEL),
        max_decoded_pixels=min(DEFAULT_LIMITS.max_decoded_pixels, free // _BYTES_PER_DECODED_PIXEL),
        max_decode_bytes=min(DEFAULT_LIMITS.max_decode_bytes, free),
    )


def refuse_loop(results: Location, watched: list[Location]) -> None:
    """Raise `UsageError` if rows written to `results` would arrive here as uploads."""
    for place in watched:
        if results.root == place.root and results.child(UPLOADS).key.startswith(place.key):
            raise UsageError(
                f"the results {results.uri} lie inside {place.uri}, whose uploads come to this "
                "function: each row would start it again; write to another bucket, or watch a "
                "prefix that the results are not in"
            )


def is_own_writing(uri: str, results: Location | None) -> bool:
    """Whether `uri` is something that seefood wrote below `results`."""
    if results is None:
        return False
    return any(uri.startswith(results.child(f"{kind}/").uri) for kind in (RESULTS, UPLOADS, RUNS))


def _limits(environ: Mapping[str, str]) -> Limits:
    memory = _number(environ, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    safe = limits_for(memory) if memory else DEFAULT_LIMITS
    return Limits(
        max_bytes=_number(environ, "SEEFOOD_MAX_BYTES") or safe.max_bytes,
        max_pixels=_number(environ, "SEEFOOD_MAX_PIXELS") or safe.max_pixels,
        max_decoded_pixels=safe.max_decoded_pixels,
        max_decode_bytes=_number(environ, "SEEFOOD_MAX_MEMORY") or safe.max_decode_bytes,
        max_frames=_number(environ, "SEEFOOD_MAX_FRAMES") or safe.max_frames,
    )


def _location(environ: Mapping[str, str], name: str) -> Location | None:
    text = environ.get(name)
    return parse_location(text) if text else None


def _list(environ: Mapping[str, str], name: str) -> list[str]:
    return environ.get(name, "").replace(",", " ").split()


def _number(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name)
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise UsageError(f"{name} is {text!r}; it takes a whole number from 1")
    return int(text)
