"""A list with one URI or path a line. A line ends at a newline only, not at U+2028 or U+0085."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, TextIO

from seefood.sources.manifests.entries import EntryError
from seefood.sources.manifests.opening import OpenList

MAX_LINE: Final = 64 * 1024 * 1024
"""In characters; a longer one is refused, to keep memory bounded."""


def read_names(opened: OpenList) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield each line that is not blank with its number. Raises `EntryError`."""
    with opened.text(newline_of(opened)) as stream:
        for number, line in numbered_lines(stream):
            yield number, {"uri": line}


def numbered_lines(stream: TextIO) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank, without their ends, with their numbers from 1."""
    number = 0
    while line := stream.readline(MAX_LINE):
        number += 1
        if len(line) >= MAX_LINE:
            raise EntryError(number, f"it has more than {MAX_LINE:,} characters; is this a list?")
        line = line.rstrip("\r\n")
        if number == 1:
            line = line.removeprefix("\ufeff")
        if line and not line.isspace():
            yield number, line


def newline_of(opened: OpenList) -> str:
    r"""Return `\r` for a list of an old Macintosh, else `\n`."""
    return "\r" if "\r" in opened.head_text and "\n" not in opened.head_text else "\n"
