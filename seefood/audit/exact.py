"""Exact confidence intervals for a count in one or two strata, sampled without replacement.

The interval holds the totals T that a test does not reject at `alpha`. The test orders the
possible findings by the ratio of how probable they were expected to be to their greatest
probability under T. Its p-value is exact: the probability, under the least favourable division of T
between the strata, of a finding with at least the observed ratio. So the interval holds for every
finite population (Wendell and Schmee 1996 for strata of finite populations; Chan and Zhang 1999 for
the supremum over what is not asked), and where expectations are right it is about as short as an
interval can be (Pratt 1961). Expectations that are wrong make it longer. docs/audit.md says what of
this is computed and not proven: the supremum is searched on a grid.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from seefood.audit.bounds import many_strata_interval
from seefood.audit.hypergeometric import (
    Floats,
    Sampled,
    likely_found,
    log_prediction,
    log_probabilities,
)

_DIVISIONS: Final = 48
"""Divisions of a total between two strata that are tried; all of them for small totals."""
_RESOLUTION: Final = 1e-4
"""The ends are found to this share of the population, and then rounded outwards."""
TOLERANCE: Final = 1e-9
"""Ratios that differ by less are equal."""
Strata = tuple[Sampled, ...]
PValue = Callable[[Strata, int], float]


def count_interval(
    strata: Sequence[Sampled], alpha: float, test: PValue | None = None
) -> tuple[int, int]:
    """Return the least and the greatest count of the population, with confidence `1 - alpha`.

    Exact for up to two strata that were drawn from in part; of more, `many_strata_interval`. Holds
    for any population if the sizes of the samples do not depend on the answers. A stratum without
    answers may hold any count. `test` is `p_value`, or another way to compute the same.
    """
    known = sum(item.found for item in strata if item.drawn == item.size)
    unasked = sum(item.size for item in strata if item.drawn == 0)
    asked = tuple(item for item in strata if 0 < item.drawn < item.size)
    if not asked:
        return known, known + unasked
    if len(asked) > 2:
        low, high = many_strata_interval(asked, alpha)
    else:
        low, high = _interval(asked, alpha, test) if test else _known_interval(asked, alpha)
    return low + known, high + known + unasked


@lru_cache(maxsize=65_536)
def _known_interval(strata: Strata, alpha: float) -> tuple[int, int]:
    return _interval(strata, alpha, p_value)


def _interval(strata: Strata, alpha: float, test: PValue) -> tuple[int, int]:
    exact = _exactness(strata)
    least = sum(item.found for item in strata)
    greatest = sum(item.size - item.drawn + item.found for item in strata)
    middle = exact * round(sum(item.size * item.found / item.drawn for item in strata) / exact)
    middle = min(greatest, max(least, middle))
    return (
        _end(strata, alpha, middle, least, test),
        _end(strata, alpha, middle, greatest, test),
    )


def _end(strata: Strata, alpha: float, inside: int, limit: int, test: PValue) -> int:
    """Return the last total between `inside` and `limit` that is not rejected."""
    sign = 1 if limit >= inside else -1
    exact = _exactness(strata)
    step = exact * max(1, round(0.01 * sum(item.size for item in strata) / exact))
    outside = inside
    while outside != limit:  # gallop to a total that is rejected
        outside = sign * min(sign * limit, sign * (inside + sign * step))
        if test(strata, outside) <= alpha:
            break
        inside, step = outside, 2 * step
    else:
        return limit
    while abs(outside - inside) > exact:
        between = inside + sign * exact * max(1, abs(outside - inside) // (2 * exact))
        if test(strata, between) <= alpha:
            outside = between
        else:
            inside = between
    return outside - sign


def _exactness(strata: Strata) -> int:
    """Return to how many pictures the ends are found; totals that are tested are its multiples."""
    return max(1, int(_RESOLUTION * sum(item.size for item in strata)))


def p_value(strata: Strata, total: int) -> float:
    """Return the p-value of the hypothesis that the strata hold `total` counted pictures."""
    ranking = Ranking.of(strata, total)
    at = ranking.place(strata)
    if at is None:
        return 0.0
    agreeing = (ranking.ratio < ranking.ratio[at] - TOLERANCE).astype(np.float64)
    if len(strata) == 1:
        return float(1 - ranking.chances[0][0] @ agreeing)
    first, second = ranking.chances
    return float(1 - ((first @ agreeing) * second).sum(axis=1).min())


@dataclass(frozen=True, slots=True)
class Ranking:
    """What samples of the strata may find if they hold a total, in the order of the test."""

    outcomes: tuple[Floats, ...]
    """The numbers that may be found in each stratum."""
    chances: tuple[Floats, ...]
    """Their probabilities under each division of the total, `(divisions, outcomes)`."""
    ratio: Floats
    """For each outcome of all strata; one with a greater ratio speaks more against the total."""

    @classmethod
    def of(cls, strata: Strata, total: int) -> "Ranking":
        """Return the ranking for a total; what the strata found does not matter."""
        divisions = _divisions(strata, total)
        outcomes = tuple(
            likely_found(item.size, item.drawn, wrong)
            for item, wrong in zip(strata, divisions, strict=True)
        )
        logs = [
            log_probabilities(item.size, item.drawn, wrong[:, None], found)
            for item, wrong, found in zip(strata, divisions, outcomes, strict=True)
        ]
        best = [log_prediction(item, found) for item, found in zip(strata, outcomes, strict=True)]
        if len(strata) == 1:
            ratio = best[0] - logs[0][0]
        else:
            ratio = best[0][:, None] + best[1][None, :] - _profile(logs)
        return cls(outcomes, tuple(map(np.exp, logs)), ratio)

    def place(self, strata: Strata) -> tuple[int, ...] | None:
        """Return the index in `ratio` of what the strata found; None if it has no probability."""
        pairs = list(zip(strata, self.outcomes, strict=True))
        at = tuple(round(item.found - found[0]) for item, found in pairs)
        inside = all(0 <= k < len(found) for k, (_, found) in zip(at, pairs, strict=True))
        return at if inside else None


def _profile(logs: Sequence[Floats]) -> Floats:
    """Return the greatest log-likelihood of each outcome over the divisions."""
    profile = np.full((logs[0].shape[1], logs[1].shape[1]), -np.inf)
    for first, second in zip(*logs, strict=True):
        np.maximum(profile, first[:, None] + second[None, :], out=profile)
    return profile


def _divisions(strata: Strata, total: int) -> list[Floats]:
    if len(strata) == 1:
        return [np.array([float(total)])]
    first, second = strata
    least, most = max(0, total - second.size), min(total, first.size)
    points = np.unique(np.round(np.linspace(least, most, min(_DIVISIONS, most - least + 1))))
    return [points, total - points]
