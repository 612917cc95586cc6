"""Reads the names of a model's classes from the files that people have.

One a line, numbered or not (Teachable Machine writes "0 Eyes open"); CSV with or without a header,
numbers and other columns; JSON as a list, `{"name": index}`, `{"index": "name"}` or Hugging Face's
`id2label`; a label map of the TensorFlow Object Detection API; Lobe's `signature.json`.
"""

import ast
import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from seefood.errors import UsageError

_NUMBERED: Final = re.compile(r"(\d{1,6})(?:\s*[:,;\t]\s*|[.)]\s+|\s+-\s+|\s+)(\S.*)")
_INDEX_COLUMNS: Final = ("index", "id", "class_id", "class_index", "label_id", "category_id", "")
_NAME_COLUMNS: Final = (
    "name",
    "label",
    "class",
    "class_name",
    "label_name",
    "category",
    "names",
    "labels",
    "classes",
)
_INLINE_LIST: Final = re.compile(r"\w+:\s*\[(.*)\]")
"""A list in YAML."""
_MAP_ITEM: Final = re.compile(r"item\s*\{(.*?)\}", re.DOTALL)
_MAP_ID: Final = re.compile(r"\bid\s*:\s*(\d+)")
_MAP_NAME: Final = re.compile(r"\b(?:display_name|name)\s*:\s*([\"'])(.*?)\1")
_LIST_KEYS: Final = (
    "id2label",
    "label2id",
    "labels",
    "label_names",
    "classes",
    "class_names",
    "categories",
    "names",
    "Label",
)
USUAL_NAMES: Final = (
    "labels.txt",
    "labels.json",
    "classes.txt",
    "classes.json",
    "class_names.txt",
    "class_names.json",
    "class_indices.json",
    "labels.csv",
    "label_map.pbtxt",
    "signature.json",
)
"""What a labels file beside a model is called."""
_MAX_BYTES: Final = 16 * 1024 * 1024


def read_labels(file: Path) -> tuple[str, ...]:
    """Return the labels in `file`, in the order of the model's outputs.

    Raises `UsageError` for a file that cannot be read, has no label, or has one twice.
    """
    text = _text(file)
    labels = tuple(_parsed(text, file))
    if not labels:
        raise UsageError(
            f"the labels file {file} has no label; write one a line, in the order of the model's "
            "outputs"
        )
    first: dict[str, int] = {}
    for at, label in enumerate(labels, start=1):
        if label in first:
            raise UsageError(
                f"the labels file {file} has {label!r} twice, as labels {first[label]} and {at}; "
                "give each class its own name"
            )
        first[label] = at
    return labels


def find_labels(folders: Iterable[Path]) -> Path | None:
    """Return the labels file with a usual name in the first of `folders` that has one."""
    for folder in folders:
        for name in USUAL_NAMES:
            if (folder / name).is_file():
                return folder / name
        if _names_classes(folder / "config.json"):
            return folder / "config.json"
        if len(assets := sorted((folder / "assets").glob("*.txt"))) == 1:
            return assets[0]  # the vocabulary of a SavedModel that names its answers
    return None


def _names_classes(config: Path) -> bool:
    """Return whether `config` is that of a model of Hugging Face or timm, with its labels."""
    try:
        document = json.loads(config.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(document, dict) and bool({"id2label", "label_names"} & document.keys())


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise UsageError(f"the labels file {file} has more than {_MAX_BYTES:,} bytes")
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"the labels file {file} cannot be read: {error.strerror}") from error
    encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        text = data.decode(encoding)
        at = text.find("\0")
    except UnicodeDecodeError as error:
        text, at = "", error.start
    if at >= 0:
        raise UsageError(
            f"the labels file {file} is not text in UTF-8 (byte {at}); save it as UTF-8, one label "
            "a line"
        )
    return text


def _parsed(text: str, file: Path) -> list[str]:
    start = text.lstrip()[:1]
    if start in {"[", "{"}:
        return _from_document(_document(text, file), file)
    if items := _MAP_ITEM.findall(text):
        return _from_label_map(items, file)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) == 1 and (match := _INLINE_LIST.fullmatch(lines[0])):
        lines = [match[1]]
    if file.suffix.lower() in {".csv", ".tsv"} or (len(lines) == 1 and "," in lines[0]):
        return _from_table(lines, file)
    if len(lines) > 1 and all(line.startswith("- ") for line in lines):
        return [line[2:].strip() for line in lines]  # a list in YAML
    return _without_numbers(lines)


def _from_table(lines: list[str], file: Path) -> list[str]:
    """Return the labels of a CSV: a row, or a column beside one of numbers; a header names them."""
    delimiter = max(",;\t", key="".join(lines).count)
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
    if len(rows) == 1:
        return rows[0]
    header, width = [cell.lower() for cell in rows[0]], min(map(len, rows))
    name = next((header.index(each) for each in _NAME_COLUMNS if each in header), None)
    numbers = [at for at in range(width) if all(row[at].isdecimal() for row in rows[1:])]
    if name is not None or any(not header[at].isdecimal() for at in numbers):
        rows = rows[1:]
    named = [header.index(each) for each in _INDEX_COLUMNS if each in header]
    index = next((at for at in numbers if at in named or _is_complete(rows, at)), None)
    if name is None or name == index:
        name = next((at for at in range(width) if at != index), 0)
    if name >= width:
        raise UsageError(f"the labels file {file} has lines with fewer than {name + 1} columns")
    names = [row[name] for row in rows]
    if index is None or index == name:
        return names
    return _ordered({int(row[index]): each for row, each in zip(rows, names, strict=True)}, file)


def _is_complete(rows: list[list[str]], at: int) -> bool:
    return _counts_up(int(row[at]) for row in rows)


def _counts_up(numbers: Iterable[int]) -> bool:
    """Return whether `numbers`, sorted, are those from 0 or 1 without gaps."""
    order = sorted(numbers)
    return bool(order) and order[0] in {0, 1} and order == [*range(order[0], order[-1] + 1)]


def _document(text: str, file: Path) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        try:
            return ast.literal_eval(text.strip())  # a printed Python list
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            raise UsageError(
                f"the labels file {file} starts as JSON and cannot be read as such: {error}"
            ) from error


def _from_document(document: Any, file: Path) -> list[str]:
    if isinstance(document, Mapping):
        for key in _LIST_KEYS:
            if isinstance(document.get(key), list | dict):
                return _from_document(document[key], file)
        return _from_mapping(document, file)
    if isinstance(document, Sequence) and not isinstance(document, str):
        for key in ("id", "index"):
            if _has_index(document, key):
                return _ordered({int(each[key]): _name(each, file) for each in document}, file)
        return [_name(each, file) for each in document]
    raise UsageError(f"the labels file {file} holds {document!r:.80}, not a list of labels")


def _from_mapping(document: Mapping[Any, Any], file: Path) -> list[str]:
    """Return the labels of `{"name": index}` or `{"index": "name"}`."""
    if document and all(_is_index(key) for key in document):
        numbered = {int(key): _name(value, file) for key, value in document.items()}
    elif document and all(_is_index(value) for value in document.values()):
        numbered = {int(value): str(key).strip() for key, value in document.items()}
    else:
        raise UsageError(
            f'the labels file {file} is a JSON object that is neither {{"name": index}} nor '
            '{"index": "name"}; write a list of the labels'
        )
    if len(numbered) != len(document):
        raise UsageError(f"the labels file {file} gives two labels the same index")
    return _ordered(numbered, file)


def _ordered(numbered: Mapping[int, str], file: Path) -> list[str]:
    order = sorted(numbered)
    expected = list(range(order[0], order[0] + len(order)))
    if order[0] not in {0, 1} or order != expected:
        missing = sorted(set(range(order[-1])) - set(order))[:1]
        raise UsageError(
            f"the labels file {file} has the indices {order[0]} to {order[-1]} and lacks "
            f"{missing[0] if missing else 0}; number the labels from 0 without gaps"
        )
    return [numbered[at] for at in order]


def _has_index(document: Sequence[Any], key: str) -> bool:
    """Return whether `document` is objects that `key` numbers from 0 or 1 without gaps."""
    if not all(isinstance(each, Mapping) and _is_index(each.get(key)) for each in document):
        return False
    return _counts_up(int(each[key]) for each in document)


def _is_index(value: Any) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool) and value >= 0) or (
        isinstance(value, str) and value.strip().isdecimal()
    )


def _name(value: Any, file: Path) -> str:
    """Return the label in an entry; ImageNet's index has ["n01440764", "tench"]."""
    if isinstance(value, list | tuple) and value:
        value = value[-1]
    if isinstance(value, Mapping):
        value = next((value[key] for key in ("name", "label", "title") if key in value), None)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UsageError(f"the labels file {file} holds {value!r:.80} where a label should stand")
    return str(value).strip()


def _from_label_map(items: list[str], file: Path) -> list[str]:
    numbered = {}
    for item in items:
        number, name = _MAP_ID.search(item), _MAP_NAME.search(item)
        if number is None or name is None:
            raise UsageError(f"the label map {file} has an item without id or name")
        numbered[int(number[1])] = name[2].strip()
    return _ordered(numbered, file)


def _without_numbers(lines: list[str]) -> list[str]:
    """Return `lines` without the numbers before each, in the numbers' order.

    A line whose number is part of the name ("7 Up") stays: numbers count only if all lines have
    one, from 0 or 1 without gaps, and the names differ without them.
    """
    for rows in (lines, lines[1:]):  # the second: a header such as "index,name"
        matches = [_NUMBERED.fullmatch(line) for line in rows]
        if len(rows) > 1 and all(matches):
            numbered = {int(match[1]): match[2].strip() for match in matches if match}
            order = sorted(numbered)
            if (
                _counts_up(order)
                and len(order) == len(rows)
                and len(set(numbered.values())) == len(rows)
            ):
                return [numbered[at] for at in order]
    return lines
