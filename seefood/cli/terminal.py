"""Makes the standard streams fit for use, and keeps C libraries' output off the terminal.

A stream may be closed, full, or of an encoding that lacks a character. None of these may cost a
row: what cannot be encoded is escaped, messages that stderr does not take are dropped, and a stdout
that takes no data is one sentence.
"""

import io
import os
import sys
from contextlib import suppress
from typing import Final, TextIO

from seefood.errors import JobError

_STANDARD: Final = (0, 1, 2)


class ReaderGoneError(Exception):
    """Nobody reads stdout any more, as after `| head -1`.

    Not an `OSError`: click ends a program with exit code 1 for a broken pipe of any kind.
    """


class _Output(io.FileIO):
    """Standard output: a failed write is a `JobError`, or `ReaderGoneError`."""

    def write(self, data: object) -> int:
        try:
            return super().write(data)  # type: ignore[arg-type]  # a buffer, as `FileIO` takes
        except BrokenPipeError as error:
            raise ReaderGoneError from error
        except OSError as error:
            raise JobError(
                f"cannot write to stdout: {error.strerror}; what was done before is kept"
            ) from error


class _Messages(io.FileIO):
    """Standard error: what it does not take is dropped, there is nowhere else to tell it."""

    def write(self, data: object) -> int:
        with suppress(OSError):
            return super().write(data)  # type: ignore[arg-type]  # as above
        return len(memoryview(data))  # type: ignore[arg-type]  # as above


def prepare_streams() -> None:
    """Open closed standard streams on /dev/null, and make the others take any text.

    Otherwise the next file or pipe that is opened gets the number of a standard stream. Does
    nothing to streams that were replaced, as in tests.
    """
    for number in _STANDARD:
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 (a descriptor)
    if _is_standard(sys.stdout, 1):
        sys.stdout = _text(_Output(1, "wb", closefd=False), sys.stdout)
    if _is_standard(sys.stderr, 2):
        sys.stderr = _text(_Messages(2, "wb", closefd=False), sys.stderr, line_buffering=True)


def _is_standard(stream: TextIO | None, number: int) -> bool:
    original = sys.__stdout__ if number == 1 else sys.__stderr__
    if stream is None or original is None:
        return stream is None
    return stream is original and _has_number(original, number)


def _text(
    raw: io.FileIO, stream: TextIO | None, *, line_buffering: bool = False
) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding if stream is not None else "utf-8",
        errors="backslashreplace",
        line_buffering=line_buffering or raw.isatty(),
    )


def redirect_native_stderr() -> None:
    """Send what C libraries write to descriptor 2 to /dev/null; Python's stderr is unaffected.

    libtiff writes a line for each oddity of a picture, and XNNPACK announces itself. Python's
    stderr gets a new descriptor. Does nothing if stderr is not descriptor 2, as in tests.
    """
    stderr = sys.stderr
    raw = getattr(getattr(stderr, "buffer", None), "raw", None)
    if not isinstance(stderr, io.TextIOWrapper) or not isinstance(raw, _Messages):
        return
    stderr.flush()
    terminal = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    # Line buffered: a progress bar or a message must not wait for a full buffer.
    sys.stderr = _text(_Messages(terminal, "wb"), stderr, line_buffering=True)


def discard_output() -> None:
    """Discard what stdout still holds, so that the interpreter does not try to write it again."""
    if sys.stdout is not None and _has_number(sys.stdout, 1):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.close(null)


def _has_number(stream: TextIO, number: int) -> bool:
    try:
        return stream.fileno() == number
    except (OSError, ValueError):
        return False
