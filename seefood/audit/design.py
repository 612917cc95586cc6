"""Plans an audit before any answer: groups of pictures, how many are drawn of each, when to look.

The model's own scores say where errors are likely. The pictures fall into a sure and an unsure
group; the unsure one is drawn from at a higher rate (Neyman 1934), and inside a group every picture
is as likely as any other. A *look* is a number of answers at which the intervals are computed and
the audit may stop. The probability of error is divided between the looks (Bonferroni), most of it
to the first. Nothing of the plan depends on answers, so the intervals of each look are exact, and
the audit as a whole holds wherever it stops.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from seefood.audit.exact import count_interval
from seefood.audit.hypergeometric import Floats, Sampled, likely_found, log_probabilities

_UNSURE_SHARES: Final = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4)
_RATES: Final = (1.0, 1.5, 2.0, 3.0, 4.0)
"""How much more often an unsure picture is drawn than a sure one."""
_PSEUDO_ERRORS: Final = 1.6
"""Added to the expected errors of a group where widths are only guessed."""
_GUESSED_Z: Final = 2.2
_GROWTH: Final = 1.5
_FIRST_SHARE: Final = 0.72
_NEXT_SHARE: Final = 0.6
_MIN_FIRST: Final = 20
_STEP: Final = 1.06
_STOPPING: Final = 0.65
"""How probably the first look is the last one, if the scores are calibrated. In truth a little
less: findings that are divided otherwise between the groups may need another look."""


@dataclass(frozen=True, slots=True)
class Look:
    """The answers of each group after which the audit may stop, and its share of the error."""

    drawn: tuple[int, ...]
    alpha: float

    @property
    def answers(self) -> int:
        """The number of answers."""
        return sum(self.drawn)


@dataclass(frozen=True, slots=True)
class Groups:
    """Two groups of pictures by the probability of an error that their scores state."""

    cut: float
    """A picture with a greater probability of an error is in the unsure group."""
    sizes: tuple[int, int]
    """Of the sure and the unsure group; either may be empty."""
    errors: tuple[float, float]
    """The mean probability of an error in each, as the scores state it."""

    @classmethod
    def at(cls, errors: Floats, cut: float) -> "Groups":
        """Return the groups of pictures with these probabilities of an error."""
        unsure = errors > cut
        sizes = int((~unsure).sum()), int(unsure.sum())
        sums = float(errors[~unsure].sum()), float(errors[unsure].sum())
        return cls(cut, sizes, (sums[0] / max(1, sizes[0]), sums[1] / max(1, sizes[1])))

    def strata(self, drawn: Sequence[int], found: Sequence[int]) -> list[Sampled]:
        """Return both groups with what was drawn and found wrong."""
        return [Sampled(*item) for item in zip(self.sizes, drawn, found, self.errors, strict=True)]

    def drawn(self, answers: float, rate: float) -> tuple[int, int]:
        """Return how many of about `answers` are drawn from each group at this ratio of rates."""
        sure, unsure = self.sizes
        from_unsure = min(unsure, round(answers * rate * unsure / (sure + rate * unsure)))
        from_sure = min(sure, max(0, round(answers) - from_unsure))
        return from_sure, min(unsure, max(from_unsure, round(answers) - from_sure))

    def probable(self, drawn: Sequence[int]) -> tuple[int, int]:
        """Return findings whose weighted total is exceeded in about one of three samples.

        The sure group finds what is to be expected, the unsure one the rest of that total.
        """
        totals: Floats = np.zeros(1)
        chance: Floats = np.ones(1)
        weights = [size / max(1, count) for size, count in zip(self.sizes, drawn, strict=True)]
        for item in zip(self.sizes, drawn, self.errors, weights, strict=True):
            size, count, error, weight = item
            wrong = np.array([round(size * error)], dtype=np.float64)
            found = likely_found(size, count, wrong) if size else np.zeros(1)
            totals = np.add.outer(totals, weight * found).ravel()
            here = np.exp(log_probabilities(size, count, wrong, found))
            chance = np.outer(chance, here).ravel()
        order = np.argsort(totals)
        place = int(np.searchsorted(np.cumsum(chance[order]), _STOPPING))
        sure = round(drawn[0] * self.errors[0])
        rest = float(totals[order[min(place, len(order) - 1)]]) - sure * weights[0]
        return sure, min(drawn[1], max(0, round(rest / max(1.0, weights[1]))))


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of an audit of one population, or of the pictures of one label."""

    groups: Groups
    looks: tuple[Look, ...]
    """With ever more answers; the last one asks about every picture."""


def make_plan(errors: Floats, within: float, alpha: float) -> Plan:
    """Return the plan that the scores let expect the fewest answers.

    `errors` are the probabilities of an error, in [0, 1], of all pictures, at least one; the plan
    is to know the share of right pictures within `within` with confidence `1 - alpha`.
    """
    errors = np.sort(errors)
    places = {min(len(errors) - 1, int((1 - share) * len(errors))) for share in _UNSURE_SHARES}
    options = [
        (_guessed_answers(groups, rate, within), rate, groups)
        for groups in (Groups.at(errors, cut) for cut in sorted(set(errors[list(places)].tolist())))
        for rate in _RATES
    ]
    options.sort(key=lambda option: option[0])
    first, rate, groups = min(
        (
            (_needed(groups, rate, within, alpha * _FIRST_SHARE, guess), rate, groups)
            for guess, rate, groups in options[:3]
        ),
        key=lambda option: option[0],
    )
    return Plan(groups, _looks(groups, rate, first, alpha))


def _looks(groups: Groups, rate: float, first: int, alpha: float) -> tuple[Look, ...]:
    looks = [Look(groups.drawn(first, rate), alpha * _FIRST_SHARE)]
    rest = alpha * (1 - _FIRST_SHARE)
    answers = float(first)
    while looks[-1].drawn != groups.sizes:
        answers *= _GROWTH
        drawn = groups.drawn(min(answers, sum(groups.sizes)), rate)
        looks.append(Look(drawn, rest * _NEXT_SHARE))
        rest *= 1 - _NEXT_SHARE
    return tuple(looks)


def _guessed_answers(groups: Groups, rate: float, within: float) -> float:
    """Return about how many answers are needed, from a normal approximation."""
    total = sum(groups.sizes)
    low, high = 1.0, float(total)
    while high - low > 1:
        answers = (low + high) / 2
        variance = 0.0
        drawn = groups.drawn(answers, rate)
        for size, error, count in zip(groups.sizes, groups.errors, drawn, strict=True):
            if count < size:
                share = (error * (1 - error) * count + _PSEUDO_ERRORS) / max(0.1, count) ** 2
                variance += (size / total) ** 2 * share * (1 - count / size)
        if _GUESSED_Z * variance**0.5 <= within:
            high = answers
        else:
            low = answers
    return high


def _needed(groups: Groups, rate: float, within: float, alpha: float, guess: float) -> int:
    """Return the least number of answers after which the interval is probably short enough."""
    total = sum(groups.sizes)

    def is_enough(answers: float) -> bool:
        drawn = groups.drawn(answers, rate)
        interval = count_interval(groups.strata(drawn, groups.probable(drawn)), alpha)
        return is_within(*interval, total, within)

    answers = min(total, max(_MIN_FIRST, guess))
    while answers / _STEP > _MIN_FIRST and is_enough(answers / _STEP):
        answers /= _STEP
    while answers < total and not is_enough(answers):
        answers *= _STEP
    return min(total, round(answers))


def is_within(low: int, high: int, population: int, within: float) -> bool:
    """Whether half the length of a count's interval is at most the share `within`."""
    return high - low <= 2 * within * population
