"""`--log json`: every line on stderr is a JSON object, for log collectors.

Each has `time` (UTC), `level` and `message`; a log record also `logger`, a progress line the
counts, the last line of a failed command its `exit_code`.
"""

import io
import json
import logging
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TextIO

from seefood.records import format_utc, utc_now
from seefood.sanitize import printable, redacted

if TYPE_CHECKING:
    from seefood.runs.progress import Style

_COLOURS: Final = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class JsonLines(io.TextIOBase):
    """A text stream that writes each line of text as a JSON object to another stream."""

    def __init__(self, target: TextIO) -> None:
        """`target` takes the JSON lines."""
        self._target = target
        self._partial = ""

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str) -> int:
        """Write the complete lines of `text`; the rest waits for its end."""
        *lines, self._partial = (self._partial + text).split("\n")
        for line in lines:
            shown = _COLOURS.sub("", line.rpartition("\r")[2]).strip()
            if shown.startswith("{"):  # a progress line
                with suppress(ValueError):
                    self.event(**json.loads(shown))
            elif shown:
                self.event(shown)
        return len(text)

    def flush(self) -> None:
        """Flush the target."""
        self._target.flush()

    def event(self, message: str, level: str = "info", **fields: object) -> None:
        """Write one object."""
        known = {"time": format_utc(utc_now()), "level": level}
        text = {"message": printable(redacted(message))}
        self._target.write(json.dumps({**known, **text, **fields}, ensure_ascii=False) + "\n")
        self._target.flush()


class _Handler(logging.Handler):
    def __init__(self, lines: JsonLines) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        fields = {"logger": record.name}
        if record.exc_info:
            error = logging.Formatter().formatException(record.exc_info)
            fields["traceback"] = redacted(error)
        self._lines.event(record.getMessage(), record.levelname.lower(), **fields)


def use_json() -> None:
    """Turn what is written to stderr into JSON lines, from here on. Idempotent."""
    if not isinstance(sys.stderr, JsonLines):
        sys.stderr = JsonLines(sys.stderr)


def json_handler() -> logging.Handler | None:
    """Return the handler for log records; None without `use_json`."""
    return _Handler(sys.stderr) if isinstance(sys.stderr, JsonLines) else None


def tell_json(message: str, level: str, fields: Mapping[str, object]) -> bool:
    """Write an object with `fields`, if stderr takes JSON; return whether it does."""
    if not isinstance(sys.stderr, JsonLines):
        return False
    sys.stderr.event(message, level, **fields)
    return True


def progress_style(*, quiet: bool) -> "Style":
    """Return how a command shows its progress."""
    if quiet:
        return "quiet"
    return "json" if isinstance(sys.stderr, JsonLines) else "auto"
