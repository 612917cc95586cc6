"""One JSON document: an array, COCO, a Label Studio export, SageMaker's ManifestFile."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from seefood.sources.manifests.entries import NAMES, EntryError, ListError
from seefood.sources.manifests.json_lines import as_record
from seefood.sources.manifests.json_stream import JsonStream
from seefood.sources.manifests.opening import OpenList

_UPLOADS: Final = ("/data/upload/", "/data/local-files/")
"""How Label Studio names files that it stores itself."""


def read_json_document(opened: OpenList) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the objects of the document with their numbers from 1.

    Raises `EntryError`, or `ListError` for an object that is no known kind of list.
    """
    with opened.text() as text:
        number = 0
        try:
            stream = JsonStream(text)
            elements = _coco_images(stream) if stream.peek() == "{" else _array(stream)
            for value in elements:
                number += 1
                yield number, as_record(_label_studio_data(value, number), number)
            if stream.peek():
                raise ValueError(f"{stream.peek()!r} follows the end of the document")
        except ValueError as error:
            raise EntryError(number + 1, f"{error}; it must be one JSON document") from error


def _array(stream: JsonStream) -> Iterator[Any]:
    """Yield the elements; names follow the prefix that SageMaker's ManifestFile begins with."""
    prefix = ""
    for number, value in enumerate(stream.elements()):
        if not number and isinstance(value, Mapping) and set(value) == {"prefix"}:
            prefix = str(value["prefix"])
        else:
            yield f"{prefix}{value}" if prefix and isinstance(value, str) else value


def _coco_images(stream: JsonStream) -> Iterator[Any]:
    """Yield the entries of COCO's `images`."""
    names: list[str] = []
    found = False
    for name in stream.members():
        if name == "images" and stream.peek() == "[":
            found = True
            yield from stream.elements()
        else:
            names.append(name)
            stream.skip()
    if not found:
        kind = "a VIA project" if any(name.startswith("_via") for name in names) else "one object"
        raise ListError(
            f"it is {kind} with {', '.join(names[:8]) or 'nothing'}; write an array of names, or "
            "COCO's `images`"
        )


def _label_studio_data(value: Any, number: int) -> Any:
    """Return the `data` of one of Label Studio's tasks; other values as they are."""
    if not isinstance(value, Mapping) or not isinstance(value.get("data"), Mapping):
        return value
    if any(str(column).lower() in NAMES for column in value):
        return value
    for column, name in value["data"].items():
        if isinstance(name, str) and name.startswith(_UPLOADS):
            raise EntryError(
                number,
                f"column {column}: {name!r:.80} is a file that Label Studio stores; export the "
                "tasks with the names of the pictures' own storage",
            )
    return value["data"]
