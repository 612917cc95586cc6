"""Which form a manifest has, by its content and by the ending of its name."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from seefood.sources.manifests.delimited import TABLES, is_spaced, read_delimited
from seefood.sources.manifests.entries import NAMES, is_like_a_name
from seefood.sources.manifests.json_document import read_json_document
from seefood.sources.manifests.json_lines import read_json_lines
from seefood.sources.manifests.names import read_names
from seefood.sources.manifests.opening import OpenList
from seefood.sources.manifests.parquet import read_parquet

Entries = Iterator[tuple[int, Mapping[str, Any]]]


class Dialect(NamedTuple):
    """A form of manifests."""

    unit: str
    """What an entry's number counts: `line`, `entry` or `row`."""
    matches: Callable[[OpenList], bool]
    read: Callable[[OpenList, str | None], Entries]
    """Reads the entries, given the column of the names if the user chose one."""


def find_dialect(opened: OpenList) -> Dialect:
    """Return the first dialect that matches; the last one takes everything."""
    return next(dialect for dialect in _DIALECTS if dialect.matches(opened))


def _is_parquet(opened: OpenList) -> bool:
    return opened.head.startswith(b"PAR1") or opened.suffix == "parquet"


def _is_json_document(opened: OpenList) -> bool:
    text = opened.head_text.lstrip()
    if text.startswith("[") and _names_json(opened, text):
        return True
    if not text.startswith("{") or not _names_json(opened, text):
        return False
    try:
        first = json.loads(text.partition("\n")[0])
    except (ValueError, RecursionError):
        # An object that goes on in the next line, or a wrong line of JSON lines.
        return opened.suffix == "json" and re.match(r'\{\s*("|\n|\Z)', text) is not None
    return "images" in first and isinstance(first["images"], list)


def _names_json(opened: OpenList, text: str) -> bool:
    """Whether a text that begins like JSON is not a list of names such as `[1].jpg`."""
    return opened.suffix in ("json", "jsonl", "ndjson", "manifest") or (
        opened.suffix not in ("txt", "csv", "tsv", "lst") and text[1:].lstrip()[:1] in '"{'
    )


def _is_json_lines(opened: OpenList) -> bool:
    text = opened.head_text.lstrip()
    return opened.suffix in ("json", "jsonl", "ndjson") or text.startswith('{"')


def _is_delimited(opened: OpenList) -> bool:
    """Whether it is a table; in a text file, only if its lines cannot be names themselves."""
    if opened.suffix in TABLES or is_spaced(opened):
        return True
    lines = [line for line in opened.head_text.splitlines()[:100] if line.strip()]
    if not lines:
        return False
    if not opened.is_whole and len(lines) > 1 and len(lines) < 100:
        lines.pop()
    for mark in (",", ";", "\t", "|"):
        cells = [cell.strip().lower() for cell in lines[0].split(mark)]
        if set(cells) & set(NAMES) and (len(cells) > 1 or all(map(is_like_a_name, lines[1:]))):
            return len(lines) > 1 or len(cells) > 1
        if len(lines) > 1 and all(line.rstrip().endswith(mark) for line in lines):
            return True
        if all(
            mark in line and not is_like_a_name(line) and is_like_a_name(line.split(mark)[0])
            for line in lines
        ):
            return True
    return False


_DIALECTS: Final = (
    Dialect("row", _is_parquet, read_parquet),
    Dialect("entry", _is_json_document, lambda opened, _: read_json_document(opened)),
    Dialect("line", _is_json_lines, lambda opened, _: read_json_lines(opened)),
    Dialect("line", _is_delimited, read_delimited),
    Dialect("line", lambda _: True, lambda opened, _: read_names(opened)),
)
