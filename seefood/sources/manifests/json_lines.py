"""JSON lines: a string or an object a line, such as SageMaker's augmented manifests."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from seefood.sources.manifests.entries import EntryError
from seefood.sources.manifests.names import numbered_lines
from seefood.sources.manifests.opening import OpenList


def read_json_lines(opened: OpenList) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the object of each line with its number. Raises `EntryError`."""
    with opened.text() as stream:
        for number, line in numbered_lines(stream):
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:
                message = f"it is no JSON ({error or 'too deep'})"
                raise EntryError(number, message) from error
            yield number, as_record(value, number)


def as_record(value: Any, number: int) -> Mapping[str, Any]:
    """Return a JSON value as columns; a string is a name. Raises `EntryError` for others."""
    if isinstance(value, str):
        return {"uri": value}
    if isinstance(value, Mapping):
        return value
    kind = "a list" if isinstance(value, list) else repr(value)
    raise EntryError(number, f"it is {kind:.60}, not a name or an object with one")
