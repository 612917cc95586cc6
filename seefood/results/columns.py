"""The columns of the results, derived from the fields of `Row`.

A column has the name of its field, and its kind and whether it may be null come from the field's
annotation. A row without one of the nullable columns is readable: the value is None. So results
that were written before a nullable field was added to `Row` stay readable.
"""

from dataclasses import dataclass
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints

from seefood.records import Row, Status, row_fields

SCORED_LABELS: Final = tuple[tuple[str, float], ...]
LABELS: Final = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the results."""

    name: str
    kind: Any
    """`str`, `int`, `float`, `datetime`, `Status`, `SCORED_LABELS` or `LABELS`."""
    is_nullable: bool

    def from_json(self, document: dict[str, Any]) -> Any:
        """Return this column's value from a row's JSON object.

        Raises `ValueError` for a value of another kind, or if a required one is absent.
        """
        value = document.get(self.name)
        if value is None:
            if self.is_nullable:
                return None
            raise ValueError(f"it has no {self.name}")
        if self.kind == SCORED_LABELS:
            return tuple((item["label"], float(item["score"])) for item in value)
        if self.kind == LABELS:
            return _labels(value)
        if self.kind is Status:
            return Status(value)
        if self.kind is datetime and isinstance(value, str):
            value = datetime.fromisoformat(value)
        if not isinstance(value, (int, float) if self.kind is float else self.kind):
            raise ValueError(f"its {self.name} is {value!r:.40}")  # noqa: TRY004 (as below)
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError(f"its {self.name} has no time zone")
        return value


def _labels(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"its labels are {value!r:.40}")
    return tuple(value)


def _columns() -> tuple[Column, ...]:
    hints = get_type_hints(Row)
    columns = []
    for field in row_fields():
        hint = hints[field.name]
        options = get_args(hint) if get_origin(hint) is UnionType else (hint,)
        (kind,) = (option for option in options if option is not NoneType)
        columns.append(Column(field.name, kind, NoneType in options))
    return tuple(columns)


COLUMNS: Final = _columns()
REQUIRED: Final = frozenset(column.name for column in COLUMNS if not column.is_nullable)


def row_from_json(document: Any) -> Row:
    """Return the row of a JSON object as `Row.as_json` makes it.

    The time may be a `datetime`. Raises `ValueError`, `KeyError` or `TypeError` for anything else.
    """
    if not isinstance(document, dict):
        raise ValueError("a row is not an object")  # noqa: TRY004 (the content is wrong)
    return Row(**{column.name: column.from_json(document) for column in COLUMNS})
