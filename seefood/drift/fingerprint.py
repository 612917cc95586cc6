"""The fingerprint of a set of rows: counts that can be added, a few kilobytes for any number.

Each measure of a picture is counted in fixed bins, so that the fingerprints of parts, shards,
uploads and nights add up, in any order, to that of the whole. It is computed from rows alone: a row
has all that it needs, whoever wrote it.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from seefood.drift.measures import CATEGORIES, MEASURES, SCORE, Measure
from seefood.records import Row
from seefood.sanitize import field_problem

VERSION: Final = 1
"""Of the measures and their bins; fingerprints of different versions are not compared."""
SCORES: Final = f"{SCORE} of "
"""Before a label: the name of the histogram of its scores."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Counts of the pictures of a set of rows; they are added with `+`."""

    rows: int = 0
    numbers: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """By measure: how many pictures are in each bin of its scale."""
    names: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By category: how many pictures have each name."""

    def __add__(self, other: "Fingerprint") -> "Fingerprint":
        numbers = {
            name: _sum(self.numbers.get(name), other.numbers.get(name))
            for name in {*self.numbers, *other.numbers}
        }
        names = {
            name: Counter(self.names.get(name, {})) + Counter(other.names.get(name, {}))
            for name in {*self.names, *other.names}
        }
        return Fingerprint(self.rows + other.rows, numbers, names)

    def total(self, name: str) -> int:
        """Return how many pictures a measure or category was taken of."""
        return sum(self.numbers.get(name, ())) or sum(self.names.get(name, {}).values())

    def as_json(self) -> dict[str, Any]:
        """Return the fingerprint as a JSON object, the same for the same rows in any order."""
        return {
            "version": VERSION,
            "rows": self.rows,
            "numbers": {name: list(counts) for name, counts in sorted(self.numbers.items())},
            "names": {
                name: dict(sorted(each.items())) for name, each in sorted(self.names.items())
            },
        }

    @classmethod
    def from_json(cls, document: Any) -> "Fingerprint | None":
        """Return the fingerprint that `as_json` wrote; None if it is of another version.

        Raises `ValueError` for anything else.
        """
        try:
            if document["version"] != VERSION:
                return None
            return cls(
                _count(document["rows"]),
                {name: _bins(name, counts) for name, counts in document["numbers"].items()},
                {
                    name: {each: _count(count) for each, count in counts.items()}
                    for name, counts in document["names"].items()
                },
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"it is not a fingerprint ({field_problem(error)})") from error


class FingerprintCounter:
    """Counts rows one by one."""

    def __init__(self) -> None:
        self._rows = 0
        self._numbers: dict[str, list[int]] = {}
        self._names: dict[str, Counter[str]] = {name: Counter() for name in CATEGORIES}

    def add(self, row: Row) -> None:
        """Count one row."""
        self._rows += 1
        for name, category in CATEGORIES.items():
            if (value := category.of(row)) is not None:
                self._names[name][value] += 1
        for name, measure in MEASURES.items():
            if (number := measure.of(row)) is None:
                continue
            key = name if name != SCORE else f"{SCORES}{row.label}"
            bins = self._numbers.get(key)
            if bins is None:
                bins = self._numbers[key] = [0] * (len(measure.edges) + 1)
            bins[bisect_right(measure.edges, number)] += 1

    def result(self) -> Fingerprint:
        """Return the fingerprint of the rows so far."""
        return Fingerprint(
            self._rows,
            {name: tuple(bins) for name, bins in self._numbers.items()},
            {name: Counter(counts) for name, counts in self._names.items() if counts},
        )


def fingerprint_rows(rows: Iterable[Row]) -> Fingerprint:
    """Return the fingerprint of `rows`, read once."""
    counter = FingerprintCounter()
    for row in rows:
        counter.add(row)
    return counter.result()


def measure_of(name: str) -> Measure:
    """Return the measure of a histogram of `Fingerprint.numbers`. Raises `KeyError`."""
    return MEASURES[SCORE if name.startswith(SCORES) else name]


def _sum(one: tuple[int, ...] | None, other: tuple[int, ...] | None) -> tuple[int, ...]:
    if one is None or other is None:
        return one or other or ()
    return tuple(a + b for a, b in zip(one, other, strict=True))


def _bins(name: str, counts: Any) -> tuple[int, ...]:
    values = tuple(map(_count, counts))
    if len(values) != len(measure_of(name).edges) + 1:
        raise ValueError(f"its histogram of {name!r:.60} has {len(values)} bins")
    return values


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r:.40} is no count")
    return value
