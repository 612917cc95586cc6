"""What a report says of millions of rows, gathered in one pass and bounded memory.

Counts and histograms are exact. Pictures are chosen: for each label those whose URI hashes lowest,
which is a fair sample that is the same in each run; and those of the lowest scores.
"""

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from seefood.records import Row, Status

BINS: Final = 40
"""Of a score histogram, over [0, 1]."""
SAMPLES: Final = 24
"""Most pictures kept for a label, and of the least certain."""
EXAMPLES: Final = 8
"""Most pictures kept for an error code."""
_REASONS: Final = 200
_OTHER_REASONS: Final = "other reasons"
_Rank = tuple[float, int]


@dataclass(slots=True)
class Lowest:
    """The rows of the lowest ranks, at most `size` of them."""

    size: int
    _heap: list[tuple[float, int, int, Row]] = field(default_factory=list)
    _seen: int = 0

    def offer(self, rank: _Rank, row: Row) -> None:
        """Keep `row` if its rank is among the lowest so far."""
        self._seen += 1  # decides between equal ranks, so that rows are never compared
        item = (-rank[0], -rank[1], -self._seen, row)
        if len(self._heap) < self.size:
            heapq.heappush(self._heap, item)
        elif item > self._heap[0]:
            heapq.heapreplace(self._heap, item)

    def rows(self) -> list[Row]:
        """Return the kept rows, the lowest rank first."""
        return [item[3] for item in sorted(self._heap, key=lambda item: item[:3], reverse=True)]


@dataclass(slots=True)
class LabelTally:
    """What was seen of one label."""

    count: int = 0
    unsure: int = 0
    """Of `count`, those below the label's threshold."""
    bins: list[int] = field(default_factory=lambda: [0] * BINS)
    samples: Lowest = field(default_factory=lambda: Lowest(SAMPLES))


@dataclass(slots=True)
class FailureTally:
    """What was seen of one error code."""

    count: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    """Pictures by message; beyond some hundred different ones they are summed."""
    examples: Lowest = field(default_factory=lambda: Lowest(EXAMPLES))


@dataclass(slots=True)
class Tally:
    """What was seen of all rows."""

    rows: int = 0
    bytes_read: int = 0
    labels: dict[str, LabelTally] = field(default_factory=dict)
    failures: dict[str, FailureTally] = field(default_factory=dict)
    least_certain: Lowest = field(default_factory=lambda: Lowest(SAMPLES))
    last: Row | None = None
    """The row that was classified last."""

    @property
    def unsure(self) -> int:
        """Pictures below their label's threshold."""
        return sum(label.unsure for label in self.labels.values())

    @property
    def failed(self) -> int:
        """Pictures without a label."""
        return sum(failure.count for failure in self.failures.values())

    def add(self, row: Row) -> None:
        """Count one row."""
        self.rows += 1
        self.bytes_read += row.size_bytes
        if self.last is None or row.classified_at > self.last.classified_at:
            self.last = row
        identity = int.from_bytes(
            hashlib.blake2b(row.uri.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        )
        if row.label is None or row.score is None:
            self._add_failure(row, identity)
            return
        label = self.labels.get(row.label)
        if label is None:
            label = self.labels[row.label] = LabelTally()
        label.count += 1
        label.unsure += row.status == Status.UNSURE
        label.bins[min(BINS - 1, max(0, int(row.score * BINS)))] += 1
        label.samples.offer((identity, 0), row)
        self.least_certain.offer((row.score, identity), row)

    def _add_failure(self, row: Row, identity: int) -> None:
        failure = self.failures.setdefault(row.error_code or "unknown", FailureTally())
        failure.count += 1
        reason = row.error_message or "no reason was recorded"
        if reason not in failure.reasons and len(failure.reasons) >= _REASONS:
            reason = _OTHER_REASONS
        failure.reasons[reason] += 1
        failure.examples.offer((identity, 0), row)


def tally_rows(rows: Iterable[Row]) -> Tally:
    """Return the tally of `rows`, reading each of them once."""
    tally = Tally()
    for row in rows:
        tally.add(row)
    return tally
