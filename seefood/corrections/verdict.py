"""Which of two result sets is right more often, by what people said about their pictures.

Only pictures where exactly one side is right decide. McNemar's test (1947) in its exact form asks
whether both sides are right alone equally often: a two-sided binomial test. The interval of the
difference comes from the exact interval of that share (Clopper and Pearson 1934), given how many
pictures decide.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from seefood.corrections.correction import Correction
from seefood.label_sets import set_text, shown_set
from seefood.results.diff import Change

_STEPS: Final = 60


@dataclass(slots=True)
class Verdict:
    """Counts of pictures whose right label is known, and those that decide."""

    both: int = 0
    neither: int = 0
    only_before: list[tuple[Change, str]] = field(default_factory=list)
    """Pictures, with their right labels, that only the first set has right."""
    only_after: list[tuple[Change, str]] = field(default_factory=list)

    @property
    def known(self) -> int:
        """Pictures with a right label and a row in both sets."""
        return self.both + self.neither + len(self.only_before) + len(self.only_after)

    @property
    def p_value(self) -> float:
        """Of the exact two-sided McNemar test; 1 if no picture decides."""
        few, many = sorted((len(self.only_before), len(self.only_after)))
        return min(1.0, 2 * _tail(few, few + many, 0.5))

    @property
    def difference(self) -> tuple[float, float, float]:
        """By what share of `known` the second set is right more often, and its 95 % interval."""
        won, total = len(self.only_after), len(self.only_before) + len(self.only_after)
        if not total:
            return 0.0, 0.0, 0.0
        ends = (won / total, *proportion_interval(won, total))
        estimate, low, high = ((2 * share - 1) * total / self.known for share in ends)
        return estimate, low, high

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as a JSON object."""
        estimate, low, high = self.difference
        return {
            "kind": "verdict",
            "known": self.known,
            "both_right": self.both,
            "neither_right": self.neither,
            "only_before_right": len(self.only_before),
            "only_after_right": len(self.only_after),
            "difference": {"estimate": estimate, "low": low, "high": high},
            "p_value": self.p_value,
        }


def judged(
    pictures: Iterable[Change],
    corrections: Mapping[tuple[str, str], Correction],
    verdict: Verdict,
) -> Iterator[Change]:
    """Yield all pictures, and count in `verdict` those that a person has labelled."""
    for change in pictures:
        yield change
        before, after = change.before, change.after
        if before is None or after is None or change.is_replaced:
            continue
        correction = corrections.get((after.uri, after.etag))
        if correction is None:
            continue
        right = set(correction.names)
        is_right = set(before.names) == right, set(after.names) == right
        if is_right == (True, True):
            verdict.both += 1
        elif is_right == (False, False):
            verdict.neither += 1
        else:
            winners = verdict.only_before if is_right[0] else verdict.only_after
            winners.append((change, shown_set(set_text(right))))


def proportion_interval(found: int, drawn: int, alpha: float = 0.05) -> tuple[float, float]:
    """Return the exact interval of a share, of which `found` of `drawn` were seen."""
    low = 0.0 if found == 0 else 1 - _upper(drawn - found, drawn, alpha / 2)
    high = 1.0 if found == drawn else _upper(found, drawn, alpha / 2)
    return low, high


def _upper(found: int, drawn: int, alpha: float) -> float:
    """Return the share under which so few or fewer are found with probability `alpha`."""
    low, high = found / drawn, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _tail(found, drawn, middle) > alpha:
            low = middle
        else:
            high = middle
    return high


def _tail(found: int, drawn: int, share: float) -> float:
    """Return P(X <= found) of a binomial distribution."""
    if drawn == 0 or share <= 0:
        return 1.0
    if share >= 1:
        return float(found >= drawn)
    steps = np.arange(1, found + 1, dtype=np.float64)
    ratios = np.log((drawn - steps + 1) / steps) + math.log(share / (1 - share))
    logs = np.concatenate([[0.0], np.cumsum(ratios)]) + drawn * math.log1p(-share)
    return float(min(1.0, np.exp(logs).sum()))
