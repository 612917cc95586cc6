"""What people said about what a model said: how often they corrected it, and to what."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from seefood.corrections.correction import Correction
from seefood.records import Row


@dataclass(slots=True)
class Confusion:
    """Counts of pictures with a row and a correction."""

    pairs: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)
    """Pictures by the model's label and the person's. Of several labels, those that both gave
    count as right, and those that one gave alone as a pair with None. The model's label is None
    also for a picture that failed."""
    answered: int = 0
    """Pictures that people answered."""
    corrected: int = 0
    """How many of them have other labels than the model's."""

    @property
    def labels(self) -> list[str]:
        """Every label of either, the most frequent first."""
        counts: Counter[str] = Counter()
        for (model, person), count in self.pairs.items():
            if person is not None:
                counts[person] += count
            if model is not None:
                counts[model] += count
        return [label for label, _ in counts.most_common()]

    def add(self, row: Row, correction: Correction | None) -> None:
        """Count a row and the person's answer about its picture, if there is one."""
        if correction is None:
            return
        self.answered += 1
        if row.labels is None and correction.labels is None:
            self.corrected += row.label != correction.label
            self.pairs[row.label, correction.label] += 1
            return
        said, right = row.names, correction.names
        self.corrected += set(said) != set(right)
        for label in dict.fromkeys((*said, *right)):
            sides = (label if label in said else None, label if label in right else None)
            self.pairs[sides] += 1

    def counting(
        self, rows: Iterable[Row], corrections: Mapping[tuple[str, str], Correction]
    ) -> Iterator[Row]:
        """Yield `rows` and count each that has a correction."""
        for row in rows:
            self.add(row, corrections.get((row.uri, row.etag)))
            yield row
