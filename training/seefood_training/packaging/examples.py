"""Reads `--examples`: pictures whose answers are known."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seefood.errors import PictureError, SeefoodError, UsageError
from seefood.imaging.decode import Pixels, decode, open_upright
from seefood.imaging.resize_rule import ResizeRule
from seefood.nearest import did_you_mean
from seefood.storage import read
from seefood.storage.uris import parse_location

MAX_EXAMPLES: Final = 200
_MAX_COPIED_PIXELS: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Example:
    """A picture and what is known of its answer."""

    name: str
    data: bytes
    """The encoded picture."""
    label: int | None
    """The index of its label, or None if all probabilities are known."""
    probabilities: tuple[float, ...] | None


@dataclass(frozen=True, slots=True)
class Examples:
    """The examples of one file; either all have probabilities or all have labels."""

    items: tuple[Example, ...]

    @property
    def has_probabilities(self) -> bool:
        """Whether all probabilities of each picture are known."""
        return self.items[0].probabilities is not None

    @property
    def is_multi_label(self) -> bool:
        """Whether the probabilities of some picture do not sum to one."""
        return any(
            each.probabilities is not None and abs(sum(each.probabilities) - 1) > 0.02
            for each in self.items
        )

    def matrix(self) -> NDArray[np.float64]:
        """Return the probabilities, of shape `(examples, labels)`."""
        return np.asarray([each.probabilities for each in self.items], np.float64)


def read_examples(file: Path, labels: Sequence[str]) -> Examples:
    """Return the examples in the CSV `file`: `picture,label`, or a probability for each label.

    A header names the columns. Paths are relative to the file's folder or the current one; a
    picture may be a URI. Raises `UsageError` with the line that is wrong.
    """
    rows = list(_rows(file))
    header = _header(rows, labels)
    order = _columns(header, labels, file)
    items = tuple(
        _example(cells, number, order, labels, file)
        for number, cells in (rows[1:] if header is not None else rows)
    )
    if not items:
        raise UsageError(f"{file} has no example; write one a line: picture,label")
    if len(items) > MAX_EXAMPLES:
        raise UsageError(
            f"{file} has {len(items):,} examples; {MAX_EXAMPLES} are enough: leave the rest out"
        )
    return Examples(items)


def upright_copy(example: Example) -> bytes:
    """Return the picture without its compression, so that resizing it again is fast.

    A large one is returned as it is: uncompressed, many of them would fill the memory.
    """
    image = open_upright(example.data)
    if image.width * image.height > _MAX_COPIED_PIXELS:
        return example.data
    out = io.BytesIO()
    image.save(out, "BMP")
    return out.getvalue()


def resized(data: bytes, rule: ResizeRule) -> Pixels:
    """Return the exact pixels of the picture in `data` for `rule`, with an axis of channels."""
    pixels = decode(data, rule, exact=True).pixels
    return pixels if pixels.ndim == 3 else pixels[..., np.newaxis]


def _rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the examples {file} cannot be read: {error}") from error
    first = text.split("\n", maxsplit=1)[0]
    delimiter = max(",;\t", key=first.count)
    for number, cells in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter), start=1):
        if any(cell.strip() for cell in cells):
            yield number, [cell.strip() for cell in cells]


def _header(rows: list[tuple[int, list[str]]], labels: Sequence[str]) -> list[str] | None:
    if not rows:
        return None
    cells = rows[0][1]
    if len(cells) > 2 and not all(_is_number(cell) for cell in cells[1:]):
        return cells
    is_data = len(cells) == 2 and cells[1] in labels
    named = cells[0].lower() in {"picture", "image", "file", "filename", "path", "uri"}
    return (
        cells
        if named or (len(cells) == 2 and not is_data and cells[1].lower() == "label")
        else None
    )


def _columns(header: list[str] | None, labels: Sequence[str], file: Path) -> list[int]:
    """Return the index of the label of each column after the first."""
    if header is None or len(header) <= 2:
        return list(range(len(labels)))
    unknown = [cell for cell in header[1:] if cell not in labels]
    missing = [label for label in labels if label not in header[1:]]
    if unknown or missing or len(header) - 1 != len(labels):
        raise UsageError(
            f"the header of {file} must have each label once; "
            + (
                f"{unknown[0]!r} is no label{did_you_mean(unknown[0], labels)}"
                if unknown
                else f"{(missing or ['one'])[0]!r} is missing"
            )
        )
    return [list(labels).index(cell) for cell in header[1:]]


def _example(
    cells: list[str], number: int, order: list[int], labels: Sequence[str], file: Path
) -> Example:
    name, values = cells[0], cells[1:]
    data = _picture(name, file, number)
    if len(values) == 1 and len(labels) > 1:
        if values[0] not in labels:
            raise UsageError(
                f"line {number} of {file} has the label {values[0]!r}, which is none of the "
                f"{len(labels)} labels"
            )
        return Example(name, data, list(labels).index(values[0]), None)
    if len(values) != len(labels) or not all(_is_number(value) for value in values):
        raise UsageError(
            f"line {number} of {file} has {len(values)} values after the picture; write its label, "
            f"or a probability for each of the {len(labels)} labels"
        )
    probabilities = [0.0] * len(labels)
    for at, value in zip(order, values, strict=True):
        probabilities[at] = float(value)
    if not all(-1e-6 <= value <= 1 + 1e-6 for value in probabilities):
        raise UsageError(f"line {number} of {file} has a value that is not between 0 and 1")
    return Example(name, data, None, tuple(probabilities))


def _picture(name: str, file: Path, number: int) -> bytes:
    beside = file.absolute().parent / name
    try:
        location = parse_location(str(beside) if "://" not in name and beside.is_file() else name)
        data = read(location)
        open_upright(data, 64)
    except PictureError as error:
        raise UsageError(f"the picture {name} in line {number} of {file}: {error}") from error
    except (FileNotFoundError, IsADirectoryError) as error:
        raise UsageError(
            f"there is no picture {name}, which line {number} of {file} names; paths are relative "
            "to that file's folder or the current one"
        ) from error
    except SeefoodError as error:
        raise UsageError(f"the picture {name} in line {number} of {file}: {error}") from error
    return data


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
