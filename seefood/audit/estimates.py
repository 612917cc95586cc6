"""What the answers of an audit say: shares and counts with intervals, and a threshold.

Each interval holds by itself with the audit's confidence (they do not hold jointly). Pictures of
one label in one group are a simple random sample of those, given their number, so each label has
exact intervals as the whole has (post-stratification). A picture of several labels is right if all
are; of one of them, only that one matters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seefood.audit.bounds import many_strata_interval
from seefood.audit.exact import count_interval
from seefood.audit.hypergeometric import Sampled
from seefood.audit.population import Codes, Population
from seefood.label_sets import set_labels

_MAX_EXACT_LABELS: Final = 12
"""With more labels, their intervals are the faster and wider ones of `seefood.audit.bounds`."""
_THRESHOLDS: Final = 20
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate between the ends of its interval."""

    estimate: float
    low: float
    high: float

    def shares(self, whole: int) -> "Interval":
        """Return the interval divided by `whole`."""
        return Interval(*(value / max(1, whole) for value in (self.estimate, self.low, self.high)))

    @property
    def half_length(self) -> float:
        """Half of the interval's length."""
        return (self.high - self.low) / 2


@dataclass(frozen=True, slots=True)
class LabelEstimate:
    """One label: how often it was said, how often it is true."""

    said: int
    true: Interval
    """The number of pictures whose right label this is."""
    precision: Interval
    """The share of the pictures with this label that are right."""
    recall: Interval
    """The share of the pictures that should have this label and do."""


@dataclass(frozen=True, slots=True)
class Estimates:
    """All that an audit says after a look."""

    answers: int
    population: int
    confidence: float
    accuracy: Interval
    labels: dict[str, LabelEstimate]
    threshold: dict[str, float] | None
    """With `error`, the wanted share, and `at`: pictures with at least this score have at most
    that share of errors, with the audit's confidence. None if that could not be shown."""

    def as_json(self) -> dict[str, Any]:
        """Return the estimates as a JSON object."""
        return asdict(self)


class Findings:
    """The answers to a random sample of each group of a population."""

    def __init__(
        self, population: Population, group: Codes, answers: Mapping[int, str], alpha: float
    ) -> None:
        """`group` is that of each picture; `answers` are the texts of the right labels by index."""
        self._population = population
        self._group = group
        self._alpha = alpha
        self._groups = int(group.max()) + 1
        self._asked = np.array(sorted(answers), dtype=np.int64)
        codes = {text: code for code, text in enumerate(population.sets)}
        for text in sorted(set(answers.values())):
            codes.setdefault(text, len(codes))
        self._truth = np.array([codes[answers[at]] for at in self._asked], dtype=np.int64)
        self._wrong = self._truth != population.said[self._asked]
        self._sets = [set_labels(text) for text in codes]
        answered = {label for text in answers.values() for label in set_labels(text)}
        self._labels = tuple(dict.fromkeys((*population.labels, *sorted(answered))))

    def estimates(self, confidence: float, error: float) -> Estimates:
        """Return everything; `error` is the wanted share of errors above the threshold."""
        return Estimates(
            len(self._asked),
            len(self._population),
            confidence,
            self.accuracy(),
            {label: self._label(label) for label in self._labels},
            self._threshold(error),
        )

    def accuracy(self) -> Interval:
        """Return the share of right labels."""
        whole = np.ones(len(self._population), dtype=np.bool_)
        wrong = self._count(whole, self._wrong, self._alpha)
        return _complement(wrong, len(whole)).shares(len(whole))

    def precision(self, code: int) -> Interval:
        """Return the share of the pictures with the labels of a set that are right."""
        return self._precision(self._population.said == code, self._wrong)

    def _precision(self, domain: Mask, wrong: Mask) -> Interval:
        found = self._count(domain, wrong, self._alpha)
        return _complement(found, int(domain.sum())).shares(int(domain.sum()))

    def _label(self, label: str) -> LabelEstimate:
        having = np.array([label in labels for labels in self._sets])
        domain = having[self._population.said]
        said = int(domain.sum())
        true = having[self._truth]
        wrong = self._count(domain, ~true, self._alpha / 2)
        hit = _complement(wrong, said)
        missed = self._count(~domain, true, self._alpha / 2, scored=False)
        both = Interval(*(getattr(hit, n) + getattr(missed, n) for n in _ENDS))
        return LabelEstimate(
            said,
            both,
            self._precision(domain, ~true) if said else Interval(0.0, 0.0, 1.0),
            Interval(
                hit.estimate / both.estimate if both.estimate else 0.0,
                hit.low / (hit.low + missed.high) if hit.low else 0.0,
                hit.high / (hit.high + missed.low) if hit.high else 1.0,
            ),
        )

    def _count(self, domain: Mask, found: Mask, alpha: float, *, scored: bool = True) -> Interval:
        """Return how many pictures of `domain` are of the kind that `found` marks in the answers.

        Where `scored`, the errors that the scores state are what was expected.
        """
        strata: list[Sampled] = []
        estimate = 0.0
        asked_domain = domain[self._asked]
        asked_group = self._group[self._asked]
        errors = self._population.errors
        for group in range(self._groups):
            inside = domain & (self._group == group)
            size = int(inside.sum())
            if not size:
                continue
            asked = asked_domain & (asked_group == group)
            drawn, count = int(asked.sum()), int((asked & found).sum())
            expected = float(errors[inside].mean())
            if not scored:
                expected /= max(1, len(self._sets) - 1)
            strata.append(Sampled(size, drawn, count, expected))
            estimate += size * count / drawn if drawn else size * expected
        if len(self._sets) > _MAX_EXACT_LABELS and not domain.all():
            low, high = _fast(strata, alpha)
        else:
            low, high = count_interval(strata, alpha)
        return Interval(min(max(estimate, low), high), low, high)

    def _threshold(self, error: float) -> dict[str, float] | None:
        """Return the lowest score above which at most the share `error` is shown to be wrong.

        Thresholds are tested from one that the scores alone choose downwards until one fails, so
        that no correction for many tests is needed (fixed sequence; Angelopoulos et al. 2021).
        """
        scores = self._population.scores
        levels = np.linspace(0, 1, _THRESHOLDS, endpoint=False)
        places = sorted({float(each) for each in np.quantile(scores, levels, method="lower")})
        domains = [scores >= place for place in places]
        expected = [self._expected_end(domain) for domain in domains]
        at: float | None = None
        for index in range(int(np.argmin(expected)), -1, -1):
            domain = domains[index]
            wrong = self._count(domain, self._wrong, self._alpha)
            if wrong.high > error * domain.sum():
                break
            at = places[index]
        return None if at is None else {"error": error, "at": at}

    def _expected_end(self, domain: Mask) -> float:
        """Return about the upper end of the share of errors that the scores let expect."""
        drawn = max(1, int(domain[self._asked].sum()))
        return float(self._population.errors[domain].mean()) + 3.7 / drawn


_ENDS: Final = ("estimate", "low", "high")


def _complement(interval: Interval, whole: int) -> Interval:
    return Interval(whole - interval.estimate, whole - interval.high, whole - interval.low)


def _fast(strata: Sequence[Sampled], alpha: float) -> tuple[int, int]:
    known = sum(item.found for item in strata if item.drawn == item.size)
    unasked = sum(item.size for item in strata if item.drawn == 0)
    asked = [item for item in strata if 0 < item.drawn < item.size]
    low, high = many_strata_interval(asked, alpha) if asked else (0, 0)
    return known + low, known + unasked + high
