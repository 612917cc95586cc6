"""What people said about what a model said: how often they corrected it, and to what."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from seefood.corrections.correction import Correction
from seefood.records import Row


@dataclass(slots=True)
class Confusion:
    """Counts of pictures with a row and a correction."""

    pairs: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    """Pictures by the model's label (None: it failed) and the person's."""

    @property
    def answered(self) -> int:
        """Pictures that people answered."""
        return self.pairs.total()

    @property
    def corrected(self) -> int:
        """How many of them have another label than the model's."""
        return sum(count for (model, person), count in self.pairs.items() if model != person)

    @property
    def labels(self) -> list[str]:
        """Every label of either, the most frequent first."""
        counts: Counter[str] = Counter()
        for (model, person), count in self.pairs.items():
            counts[person] += count
            if model is not None:
                counts[model] += count
        return [label for label, _ in counts.most_common()]

    def add(self, row: Row, correction: Correction | None) -> None:
        """Count a row and the person's answer about its picture, if there is one."""
        if correction is not None and correction.label is not None:
            self.pairs[row.label, correction.label] += 1

    def counting(
        self, rows: Iterable[Row], corrections: Mapping[tuple[str, str], Correction]
    ) -> Iterator[Row]:
        """Yield `rows` and count each that has a correction."""
        for row in rows:
            self.add(row, corrections.get((row.uri, row.etag)))
            yield row
