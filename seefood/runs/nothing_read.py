"""A run in which no picture could be read, and the likely cause."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from seefood.errors import ErrorCode, SeefoodError
from seefood.results.files import list_parts, read_part
from seefood.storage.uris import Location

_CURES: Final = {
    ErrorCode.FORBIDDEN: "the credentials may list the pictures but not read them: check "
    "s3:GetObject, the bucket's policy and the key that encrypts it",
    ErrorCode.NOT_FOUND: "none of them exists: check the names in the manifest, or whether they "
    "were moved since they were listed",
    ErrorCode.STORE_ERROR: "the store failed each time: check region, endpoint, proxy and network "
    "(`seefood doctor` tries them)",
}
"""The failures that are not the pictures'."""


def nothing_read(summary: Mapping[str, Any], output: Location) -> str | None:
    """Return why the run of `summary` could read none of its pictures; None if it could read one.

    The sentence ends with the message of one row.
    """
    codes = {code: count for code, count in summary["by_error_code"].items() if code in _CURES}
    rows = int(summary["rows"])
    if not rows or sum(codes.values()) != rows:
        return None
    code = max(codes, key=lambda each: int(codes[each]))
    cause = f"none of the {rows:,} pictures could be read; {_CURES[ErrorCode(code)]}"
    with suppress(SeefoodError):
        parts = list_parts(output, summary["model"]["digest"])
        newest = sorted(parts, key=lambda ref: ref.modified or 0.0)[-1:]
        for part in newest:
            for error_code, message in read_part(part.uri, ("error_code", "error_message")):
                if error_code == code:
                    return f"{cause} ({code}: {message})"
    return cause
