"""Formats numbers, sizes, names and errors for pages."""

from typing import Final

from seefood.errors import ErrorCode, UsageError
from seefood.sanitize import printable
from seefood.storage.uris import parse_location

ERROR_MEANINGS: Final[dict[str, str]] = {
    ErrorCode.EMPTY: "The object has no bytes.",
    ErrorCode.NOT_AN_IMAGE: "The bytes are not a picture, whatever the name says.",
    ErrorCode.UNSUPPORTED_FORMAT: "A picture in a format that seefood does not decode.",
    ErrorCode.TRUNCATED: "The file ends before the picture is complete: upload it again.",
    ErrorCode.CORRUPT: "The format is known, but the data is damaged.",
    ErrorCode.TOO_LARGE: "More bytes than --max-bytes.",
    ErrorCode.TOO_MANY_PIXELS: "More pixels than --max-pixels, or more memory to decode them than "
    "--max-memory, according to the header.",
    ErrorCode.TOO_MANY_FRAMES: "More frames or pages than --max-frames.",
    ErrorCode.TIMEOUT: "It took longer than --max-seconds, also alone: the next run tries again.",
    ErrorCode.OUT_OF_MEMORY: "There was not enough memory, also alone: the next run tries again.",
    ErrorCode.DECODER_CRASH: "A decoder or the engine crashed on it, also in a process of its own.",
    ErrorCode.NOT_FOUND: "Listed, but deleted before it was read.",
    ErrorCode.CHANGED: "Replaced while the job ran: the next run classifies the new picture.",
    ErrorCode.FORBIDDEN: "The credentials may list it but not read it.",
    ErrorCode.UNSUPPORTED_NAME: "The store's client cannot express the name: copy the object to "
    "another one.",
    ErrorCode.STORE_ERROR: "The store failed, even after retries: run the job again.",
    ErrorCode.ENGINE_ERROR: "The model failed on this picture.",
}
_MAX_NAME: Final = 60


def count_text(count: int, noun: str) -> str:
    """Return `1 picture`, `1,200 pictures`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def share_text(part: int, whole: int) -> str:
    """Return `12.5%`; 0% and 100% only if they are exact."""
    if not whole or part in {0, whole}:
        return "100%" if part else "0%"
    share = min(0.999, max(0.001, part / whole))
    return f"{share:.1%}"


def score_text(score: float) -> str:
    """Return `97.3%`; 100% only from 0.9995 on."""
    return "100%" if score >= 0.9995 else f"{score:.1%}"


def seconds_text(seconds: float) -> str:
    """Return `3.2 s`, `12 min 5 s` or `3 h 20 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60} min"


def bytes_text(count: int) -> str:
    """Return a size in decimal units: `512 B`, `1.3 MB`."""
    size, units = float(count), ("B", "kB", "MB", "GB", "TB")
    for unit in units[:-1]:
        if size < 999.5:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 99.5 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} {units[-1]}"


def shown_uri(uri: str) -> str:
    """Return a URI for display: local files as paths, control characters as escapes."""
    try:
        location = parse_location(uri)
    except UsageError:
        return printable(uri)
    return printable(location.key if location.is_local else uri)


def short_name(uri: str) -> str:
    """Return the last part of a URI's path, shortened in the middle if it is very long."""
    whole = shown_uri(uri)
    name = whole.rstrip("/").rpartition("/")[2] or whole
    return name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME // 2]}…{name[-_MAX_NAME // 3 :]}"
