"""Counts of a run, as values that can be added in any order."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from seefood.drift.fingerprint import Fingerprint, FingerprintCounter
from seefood.errors import ErrorCode
from seefood.records import Row, Status

MIN_ROWS: Final = 100
"""Rows from which on a share of failures counts."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of a run or of a part of it; they are added with `+`."""

    listed: int = 0
    """Objects in the sources."""
    skipped: int = 0
    """How many of these were in the ledger."""
    replaced: int = 0
    """How many older rows are to be removed: retried pictures and duplicates in the ledger."""
    stopped_early: int = 0
    """1 if the job stopped because too many pictures failed."""
    rows: int = 0
    """Rows written."""
    bytes_read: int = 0
    parts: int = 0
    """Result objects written."""
    by_status: Counter[str] = field(default_factory=Counter)
    by_label: Counter[str] = field(default_factory=Counter)
    """Rows by label; with several labels a picture, it counts for each."""
    by_error: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    """Parts of a source that could not be listed: pictures may be missing."""
    remarks: Counter[str] = field(default_factory=Counter)
    """What the listing left out on purpose, and hints."""
    fingerprint: Fingerprint = field(default_factory=Fingerprint)
    """Of the rows written: what later runs are compared with."""

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(
            **{
                item.name: getattr(self, item.name) + getattr(other, item.name)
                for item in fields(self)
            }
        )

    @property
    def failed(self) -> int:
        """Rows without a label."""
        return self.by_status[Status.FAILED]

    def as_json(self) -> dict[str, Any]:
        """Return the counts as a JSON object; labels and codes by frequency, descending."""
        document = {item.name: getattr(self, item.name) for item in fields(self)}
        document["fingerprint"] = self.fingerprint.as_json()
        return {
            name: dict(value.most_common()) if isinstance(value, Counter) else value
            for name, value in document.items()
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Totals":
        """Return the totals of an `as_json` object."""
        values: dict[str, Any] = {
            name: Counter(value) if isinstance(value, Mapping) else int(value)
            for name, value in document.items()
            if name != "fingerprint"
        }
        # Workers of an earlier version count none.
        known = document.get("fingerprint")
        fingerprint = (Fingerprint.from_json(known) if known else None) or Fingerprint()
        return cls(**values, fingerprint=fingerprint)


def too_many_failed(rows: int, failed: int, max_ratio: float) -> bool:
    """Whether a job must stop: more than the share `max_ratio` of its `rows` so far failed.

    False below `MIN_ROWS` rows.
    """
    return rows >= MIN_ROWS and failed > max_ratio * rows


# Failures that are detected without reading the picture.
_UNREAD: Final = frozenset(
    {
        ErrorCode.EMPTY,
        ErrorCode.TOO_LARGE,
        ErrorCode.NOT_FOUND,
        ErrorCode.CHANGED,
        ErrorCode.FORBIDDEN,
        ErrorCode.UNSUPPORTED_NAME,
        ErrorCode.STORE_ERROR,
    }
)


def count_rows(rows: Iterable[Row]) -> Totals:
    """Return the totals of the rows of one result object."""
    status: Counter[str] = Counter()
    label: Counter[str] = Counter()
    error: Counter[str] = Counter()
    read = 0
    fingerprint = FingerprintCounter()
    for row in rows:
        fingerprint.add(row)
        status[str(row.status)] += 1
        read += row.size_bytes if row.error_code not in _UNREAD else 0
        label.update(name for name, _ in row.scored_labels)
        if row.error_code is not None and row.status is Status.FAILED:  # not salvaged
            error[row.error_code] += 1
    return Totals(
        rows=status.total(),
        bytes_read=read,
        parts=1,
        by_status=status,
        by_label=label,
        by_error=error,
        fingerprint=fingerprint.result(),
    )


def add_totals(parts: Iterable[Totals]) -> Totals:
    """Return the sum of `parts`, zeros if there are none. Usable as a Beam combiner."""
    total = Totals()
    for part in parts:
        total += part
    return total
