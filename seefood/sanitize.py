"""Removes secrets and control characters from text for logs, rows, reports and terminals.

Messages of client libraries contain URLs, and URLs contain signatures; users type credentials in
wrong places. Removed are the queries of web URLs (presigned URLs, shared access signatures), users
and passwords before an `@`, AWS access keys, and values whose names say that they are secret.
"""

import logging
import re
import reprlib
from collections.abc import Iterable
from typing import Any, Final

MASK: Final = "***"
_RULES: Final = (
    # Queries of web URLs only: S3 keys may contain a question mark.
    (re.compile(r"(\bhttps?://[^\s?#'\"<>]*)\?[^\s'\"<>)]*", re.IGNORECASE), rf"\1?{MASK}"),
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/@'\"]+@", re.IGNORECASE), rf"\1{MASK}@"),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b"), MASK),
    (
        re.compile(
            r"([\w-]*(?:secret|password|passwd|token|signature|credential|access[-_]?key|"
            r"account[-_]?key|api[-_]?key|sas[-_]?key|authorization)[\w-]*['\"]?\s*[=:]\s*"
            r"(?:bearer\s+|basic\s+)?['\"]?)[^\s'\"&,;)}]+",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
)
_HINT: Final = re.compile(
    "://|AKIA|ASIA|secret|passw|token|signature|credential|key|authorization", re.IGNORECASE
)


def printable(text: str) -> str:
    """Return `text` with control characters and lone surrogates as visible escapes."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


class _Shown(reprlib.Repr):
    """Shows a value in one short line; of bytes only how many there are."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 100

    def repr_bytes(self, value: Any, level: int) -> str:
        """Return the number of bytes."""
        del level
        return f"<{len(value):,} bytes>"

    repr_bytearray = repr_memoryview = repr_bytes


shown: Final = _Shown().repr
"""Returns a value of any type and size as a short text for a message."""


def one_line(error: BaseException, limit: int = 200) -> str:
    """Return the start of the error's message as one line; its class's name if it has none."""
    return " ".join(str(error).split())[:limit] or type(error).__name__


def field_problem(error: BaseException) -> str:
    """Return why a document does not have the wanted form, for an error of reading its fields."""
    if isinstance(error, KeyError):
        return f"the field {error} is missing"
    if isinstance(error, TypeError | AttributeError):
        return "a field has another type"
    return one_line(error)


def redacted(text: str) -> str:
    """Return `text` with secrets replaced by `***`."""
    if not _HINT.search(text):  # fast path for most messages
        return text
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def redacted_arguments(arguments: Iterable[str]) -> list[str]:
    """Return a command line's `arguments` with secrets replaced by `***`.

    Also where an option's value is the next argument.
    """
    result: list[str] = []
    for argument in arguments:
        follows_option = result and result[-1].startswith("-") and "=" not in result[-1]
        if (
            follows_option
            and not argument.startswith("-")
            and redacted(f"{result[-1]}={argument}") != (f"{result[-1]}={argument}")
        ):
            result.append(MASK)
        else:
            result.append(redacted(argument))
    return result


class SafeFormatter(logging.Formatter):
    """Removes secrets and control characters from log messages, and secrets from tracebacks.

    Messages quote untrusted names. Their line breaks are kept.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the base class's name)
        """Return the line without its traceback."""
        record.message = "\n".join(map(printable, redacted(record.message).split("\n")))
        return super().formatMessage(record)

    def formatException(self, ei: object) -> str:  # noqa: N802 (as above)
        """Return the traceback."""
        return redacted(super().formatException(ei))  # type: ignore[arg-type]
