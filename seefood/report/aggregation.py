"""Counts, histograms and samples of millions of rows, in one pass and bounded memory.

Counts and histograms are exact. The sample of a label has the pictures with the lowest hashes of
their URIs: a random choice that is the same in each run. The pictures with the lowest scores are
kept too.
"""

import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from seefood.records import Row, Status

BINS: Final = 40
"""Bins of a score histogram over [0, 1]."""
SAMPLES: Final = 24
"""Maximum number of pictures kept for a label, and of the least certain."""
EXAMPLES: Final = 8
"""Maximum number of pictures kept for an error code."""
_MAX_REASONS: Final = 200
_OTHER_REASONS: Final = "other reasons"
_Rank = tuple[float, int]


@dataclass(slots=True)
class Lowest:
    """The `size` rows with the lowest ranks."""

    size: int
    _heap: list[tuple[float, int, int, Row]] = field(default_factory=list)
    _seen: int = 0

    def offer(self, rank: _Rank, row: Row) -> None:
        """Keep `row` if its rank is among the lowest so far."""
        self._seen += 1  # orders equal ranks, so rows are never compared
        item = (-rank[0], -rank[1], -self._seen, row)
        if len(self._heap) < self.size:
            heapq.heappush(self._heap, item)
        elif item > self._heap[0]:
            heapq.heapreplace(self._heap, item)

    def rows(self) -> list[Row]:
        """Return the kept rows, the lowest rank first."""
        return [item[3] for item in sorted(self._heap, key=lambda item: item[:3], reverse=True)]


@dataclass(slots=True)
class LabelStatistics:
    """Statistics of one label; a picture of several labels counts for each."""

    count: int = 0
    unsure: int = 0
    """How many of `count` are below the label's threshold."""
    bins: list[int] = field(default_factory=lambda: [0] * BINS)
    samples: Lowest = field(default_factory=lambda: Lowest(SAMPLES))

    @property
    def sure(self) -> int:
        """How many pictures are labelled so: `count` without the unsure ones."""
        return self.count - self.unsure


@dataclass(slots=True)
class FailureStatistics:
    """Statistics of one error code."""

    count: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    """Number of pictures by message; beyond 200 different messages they are summed."""
    examples: Lowest = field(default_factory=lambda: Lowest(EXAMPLES))


@dataclass(slots=True)
class RowStatistics:
    """Statistics of all rows."""

    rows: int = 0
    bytes_read: int = 0
    labels: dict[str, LabelStatistics] = field(default_factory=dict)
    failures: dict[str, FailureStatistics] = field(default_factory=dict)
    least_certain: Lowest = field(default_factory=lambda: Lowest(SAMPLES))
    last: Row | None = None
    """The most recently classified row."""
    novel: Lowest = field(default_factory=lambda: Lowest(SAMPLES))
    """Those that resemble nothing in training, the least like it first."""
    watched: Sequence[tuple[Callable[[Row], bool], Lowest]] = ()
    """A random sample of the rows for which each function is true."""

    @property
    def unsure(self) -> int:
        """Number of pictures below their label's threshold."""
        return sum(label.unsure for label in self.labels.values())

    @property
    def failed(self) -> int:
        """Number of pictures without a label."""
        return sum(failure.count for failure in self.failures.values())

    def add(self, row: Row) -> None:
        """Count one row."""
        self.rows += 1
        self.bytes_read += row.size_bytes
        if self.last is None or row.classified_at > self.last.classified_at:
            self.last = row
        uri_hash = int.from_bytes(
            hashlib.blake2b(row.uri.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        )
        for is_example, examples in self.watched:
            if is_example(row):
                examples.offer((uri_hash, 0), row)
        if row.novelty is not None and row.novelty > 1:
            self.novel.offer((-row.novelty, uri_hash), row)
        if row.label is None or row.score is None:
            self._add_failure(row, uri_hash)
            return
        for name, score in row.scored_labels:
            label = self.labels.get(name)
            if label is None:
                label = self.labels[name] = LabelStatistics()
            label.count += 1
            label.unsure += row.status == Status.UNSURE
            if score is not None:
                label.bins[min(BINS - 1, max(0, int(score * BINS)))] += 1
            label.samples.offer((uri_hash, 0), row)
        self.least_certain.offer((row.score, uri_hash), row)

    def _add_failure(self, row: Row, uri_hash: int) -> None:
        failure = self.failures.setdefault(row.error_code or "unknown", FailureStatistics())
        failure.count += 1
        reason = row.error_message or "no reason was recorded"
        if reason not in failure.reasons and len(failure.reasons) >= _MAX_REASONS:
            reason = _OTHER_REASONS
        failure.reasons[reason] += 1
        failure.examples.offer((uri_hash, 0), row)


def aggregate_rows(
    rows: Iterable[Row], watched: Sequence[Callable[[Row], bool]] = ()
) -> RowStatistics:
    """Return the statistics of `rows`, read once, with examples of each of `watched`."""
    statistics = RowStatistics(watched=[(each, Lowest(EXAMPLES)) for each in watched])
    for row in rows:
        statistics.add(row)
    return statistics
