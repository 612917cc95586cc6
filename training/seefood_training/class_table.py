"""The table of classes on the page of an evaluation, which can be sorted without a script.

Radio buttons choose a column; for each, a style rule gives every row its place (`order` in a grid).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from seefood.sanitize import printable

_MAX_ROWS: Final = 300
_ALPHABETICAL: Final = 12
"""Up to so many classes stay in the bundle's order; of more, the worst come first."""


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A class with its figures, as JSON values of `seefood_training.evaluate.measure`."""

    label: str
    figures: Mapping[str, Any]
    taken_for: str
    """The class that its pictures are most often mistaken for; empty if there is none."""
    times: int
    """How often."""


@dataclass(frozen=True, slots=True)
class ClassTable:
    """The rows in the order in which they are first shown, and the ways to sort them."""

    rows: Sequence[ClassRow]
    orders: Sequence[tuple[str, str]]
    """The id and the name of each order; the first is that of `rows`."""
    style: str
    """The style rules that sort."""
    left_out: int
    """How many classes have no row."""


Key = Callable[[ClassRow], tuple[Any, ...]]


def _share(name: str, *, highest_first: bool = False) -> Key:
    def key(row: ClassRow) -> tuple[Any, ...]:
        value = row.figures[name]["value"]
        return (value is None, -(value or 0.0) if highest_first else value or 0.0, row.label)

    return key


def _area(row: ClassRow) -> tuple[Any, ...]:
    value = row.figures["average_precision"]
    return (value is None, value or 0.0, row.label)


_ORDERS: Final[Mapping[str, tuple[str, Key]]] = {
    "recall": ("lowest recall", _share("recall")),
    "precision": ("lowest precision", _share("precision")),
    "mistakes": ("most mistakes", lambda row: (-_mistakes(row), row.label)),
    "average": ("lowest average precision", _area),
    "pictures": ("most pictures", lambda row: (-row.figures["recall"]["total"], row.label)),
    "name": ("name", lambda row: (row.label.casefold(), row.label)),
}


def class_table(document: Mapping[str, Any]) -> ClassTable:
    """Return the table of a document of `measure`."""
    labels = document["bundle"]["labels"]
    rows = [
        ClassRow(printable(labels[at]), figures, *_taken_for(labels, at, document["confusion"][at]))
        for at, figures in enumerate(document["classes"])
    ]
    names = list(_ORDERS)
    if len(rows) <= _ALPHABETICAL:
        names.remove("name")
        names.insert(0, "name")
    shown = sorted(rows, key=_ORDERS["recall"][1])[:_MAX_ROWS]
    shown.sort(key=_ORDERS[names[0]][1])
    return ClassTable(
        shown,
        [(name, _ORDERS[name][0]) for name in names],
        "\n".join(_rules(shown, name) for name in names[1:]),
        len(rows) - len(shown),
    )


def _mistakes(row: ClassRow) -> int:
    """Return how many pictures of the class, or given its label, are wrong."""
    recall, precision = row.figures["recall"], row.figures["precision"]
    wrong = (each["total"] - each["count"] for each in (recall, precision))
    return int(sum(wrong))


def _taken_for(labels: Sequence[str], at: int, counts: Sequence[int]) -> tuple[str, int]:
    others = [(count, -other) for other, count in enumerate(counts) if other != at and count]
    if not others:
        return "", 0
    count, other = max(others)
    return printable(labels[-other]), count


def _rules(rows: Sequence[ClassRow], name: str) -> str:
    places = {id(row): at for at, row in enumerate(sorted(rows, key=_ORDERS[name][1]))}
    return "\n".join(
        f"#classes:has(#by-{name}:checked) tbody tr:nth-child({at}){{order:{places[id(row)]}}}"
        for at, row in enumerate(rows, 1)
    )
