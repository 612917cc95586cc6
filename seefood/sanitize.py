"""Text that goes into logs, rows, reports and onto terminals, without what lets somebody in.

Clients put addresses into their messages, and addresses carry signatures; users type credentials
where none belong. Taken out are the queries of web addresses (presigned URLs, shared access
signatures), users and passwords before an `@`, AWS's access keys, and values that are named secret.
"""

import logging
import re
from collections.abc import Iterable
from typing import Final

GONE: Final = "***"
_RULES: Final = (
    # The query of a web address; S3 keys may hold a question mark and stand as they are.
    (re.compile(r"(\bhttps?://[^\s?#'\"<>]*)\?[^\s'\"<>)]*", re.IGNORECASE), rf"\1?{GONE}"),
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/@'\"]+@", re.IGNORECASE), rf"\1{GONE}@"),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b"), GONE),
    (
        re.compile(
            r"([\w-]*(?:secret|password|passwd|token|signature|credential|access[-_]?key|"
            r"account[-_]?key|api[-_]?key|sas[-_]?key|authorization)[\w-]*['\"]?\s*[=:]\s*"
            r"(?:bearer\s+|basic\s+)?['\"]?)[^\s'\"&,;)}]+",
            re.IGNORECASE,
        ),
        rf"\1{GONE}",
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


def redacted(text: str) -> str:
    """Return `text` with what lets somebody in replaced by `***`."""
    if not _HINT.search(text):  # most messages; the rules cost more
        return text
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def redacted_arguments(arguments: Iterable[str]) -> list[str]:
    """Return a command line's `arguments`, also those whose value stands in the next one."""
    shown: list[str] = []
    for argument in arguments:
        named = shown and shown[-1].startswith("-") and "=" not in shown[-1]
        if (
            named
            and not argument.startswith("-")
            and redacted(f"{shown[-1]}={argument}") != (f"{shown[-1]}={argument}")
        ):
            shown.append(GONE)
        else:
            shown.append(redacted(argument))
    return shown


class SafeFormatter(logging.Formatter):
    """Log lines whose messages, which quote strangers, hold no secrets and no control characters.

    Tracebacks keep their lines, and lose secrets, too.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the base class's name)
        """Return the line without its traceback."""
        record.message = "\n".join(map(printable, redacted(record.message).split("\n")))
        return super().formatMessage(record)

    def formatException(self, ei: object) -> str:  # noqa: N802 (as above)
        """Return the traceback."""
        return redacted(super().formatException(ei))  # type: ignore[arg-type]
