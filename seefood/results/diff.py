"""Compares two result sets: two models on the same pictures, or one model on two nights.

Pictures are matched by URI, and of several rows of a picture the latest one counts. Different
entity tags mean that the picture itself was replaced in between.
"""

import heapq
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from sys import intern
from typing import Final

from seefood.errors import UsageError
from seefood.nearest import nearest_path
from seefood.records import Row, Status
from seefood.results.files import digest_of, list_parts
from seefood.results.output_rows import newest_rows
from seefood.storage.uris import Location, parse_location

_MODEL_FOLDER: Final = re.compile(
    r"^(.*?)/?(?:results|uploads)/digest=([0-9a-f]{12})/?$", re.DOTALL
)


class Kind(StrEnum):
    """How a picture differs between two result sets."""

    LABEL = "label"
    """Another label."""
    THRESHOLD = "threshold"
    """The same label, on the other side of the threshold."""
    FAILED = "failed"
    """A label only in the first."""
    RECOVERED = "recovered"
    """A label only in the second."""
    APPEARED = "appeared"
    """Only in the second."""
    VANISHED = "vanished"
    """Only in the first."""
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Change:
    """One picture's rows in both sets; None where it has no row."""

    kind: Kind
    before: Row | None
    after: Row | None

    @property
    def row(self) -> Row:
        """The later row, else the earlier."""
        row = self.after or self.before
        assert row is not None  # noqa: S101 (a change has at least one side)
        return row

    @property
    def is_replaced(self) -> bool:
        """Whether the object itself was replaced in between."""
        both = self.before is not None and self.after is not None
        return both and self.before.etag != self.after.etag  # type: ignore[union-attr]

    @property
    def weight(self) -> float:
        """The sum of both scores, by which changes are ranked."""
        return sum(row.score or 0.0 for row in (self.before, self.after) if row is not None)

    def as_json(self) -> dict[str, object]:
        """Return the change as a JSON object."""
        return {
            "kind": str(self.kind),
            "uri": self.row.uri,
            "replaced": self.is_replaced,
            "before": _side(self.before),
            "after": _side(self.after),
        }


@dataclass(slots=True)
class Diff:
    """The counts of a comparison, and for each kind the changes with the largest weights."""

    counts: Counter[Kind] = field(default_factory=Counter)
    flips: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Number of changes from one label to another."""
    replaced: int = 0
    """Pictures whose object was replaced in between."""
    shown: dict[Kind, list[Change]] = field(default_factory=dict)

    @property
    def compared(self) -> int:
        """Pictures in both sets."""
        return self.counts.total() - self.counts[Kind.APPEARED] - self.counts[Kind.VANISHED]

    @property
    def changed(self) -> int:
        """Pictures that are not the same in both."""
        return self.counts.total() - self.counts[Kind.SAME]


def parse_side(text: str) -> tuple[Location, str]:
    """Return the output and digest of `text`: `DEST`, or a model's folder below it.

    Raises `UsageError` if there are no results, or those of several models.
    """
    location = parse_location(text)
    if match := _MODEL_FOLDER.match(location.key):
        side = Location(location.root, match[1] or ("/" if location.is_local else "")), match[2]
        if not list_parts(*side):
            raise UsageError(f"there are no results at {text}; check the path")
        return side
    digests = {digest_of(part.uri) for part in list_parts(location)}
    if not digests:
        raise UsageError(f"there are no results below {text}; check the path{nearest_path(text)}")
    if len(digests) > 1:
        folders = ", ".join(
            f"{text.rstrip('/')}/results/digest={digest}" for digest in sorted(digests)
        )
        raise UsageError(f"{text} holds the results of several models; choose one: {folders}")
    return location, digests.pop()


def latest_rows(output: Location, digest: str) -> dict[str, Row]:
    """Return the newest row of each picture by URI, without `top`: about 400 bytes a picture."""
    rows: dict[str, Row] = {}
    for row in newest_rows(output, digest):
        label = intern(row.label) if row.label is not None else None
        rows[row.uri] = replace(row, top=None, label=label, model_digest=intern(row.model_digest))
    return rows


def changes(before: dict[str, Row], after: dict[str, Row]) -> Iterator[Change]:
    """Yield a change, or `Kind.SAME`, for every picture of both sets, sorted by URI."""
    for uri in sorted(before.keys() | after.keys()):
        old, new = before.get(uri), after.get(uri)
        yield Change(_kind(old, new), old, new)


def compare(pictures: Iterable[Change], limit: int = 48) -> Diff:
    """Count changes, and keep the `limit` of each kind that have the largest weights."""
    diff = Diff()
    heaps: dict[Kind, list[tuple[float, int, Change]]] = {}
    for number, change in enumerate(pictures):
        diff.counts[change.kind] += 1
        diff.replaced += change.is_replaced
        if change.kind is Kind.SAME:
            continue
        if change.kind is Kind.LABEL and change.before and change.after:
            diff.flips[_said(change.before), _said(change.after)] += 1
        heap = heaps.setdefault(change.kind, [])
        push = heapq.heappush if len(heap) < limit else heapq.heappushpop
        push(heap, (change.weight, -number, change))
    diff.shown = {
        kind: [change for _, _, change in sorted(heap, key=lambda item: item[:2], reverse=True)]
        for kind, heap in heaps.items()
    }
    return diff


def _kind(before: Row | None, after: Row | None) -> Kind:
    if before is None:
        return Kind.APPEARED
    if after is None:
        return Kind.VANISHED
    if before.label is None or after.label is None:
        if before.label is after.label:
            return Kind.SAME
        return Kind.FAILED if after.label is None else Kind.RECOVERED
    if _said(before) != _said(after):
        return Kind.LABEL
    crossed = (before.status == Status.OK) != (after.status == Status.OK)
    return Kind.THRESHOLD if crossed else Kind.SAME


def _said(row: Row) -> str:
    """Return the label; of a picture of several, all in the order of the alphabet."""
    return ", ".join(sorted(name for name, _ in row.scored_labels))


def _side(row: Row | None) -> dict[str, object] | None:
    if row is None:
        return None
    return {
        "label": row.label,
        "score": row.score,
        **({} if row.labels is None else {"labels": list(row.labels)}),
        "status": str(row.status),
        "error_code": row.error_code,
        "etag": row.etag,
    }
