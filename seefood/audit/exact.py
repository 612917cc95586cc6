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

from collections.abc import Sequence
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
_TOLERANCE: Final = 1e-9


def count_interval(strata: Sequence[Sampled], alpha: float) -> tuple[int, int]:
    """Return the least and the greatest count of the population, with confidence `1 - alpha`.

    Exact for up to two strata that were drawn from in part; of more, `many_strata_interval`. Holds
    for any population if the sizes of the samples do not depend on the answers. A stratum without
    answers may hold any count.
    """
    known = sum(item.found for item in strata if item.drawn == item.size)
    unasked = sum(item.size for item in strata if item.drawn == 0)
    asked = tuple(item for item in strata if 0 < item.drawn < item.size)
    if not asked:
        return known, known + unasked
    low, high = _interval(asked, alpha) if len(asked) <= 2 else many_strata_interval(asked, alpha)
    return low + known, high + known + unasked


@lru_cache(maxsize=65_536)
def _interval(strata: tuple[Sampled, ...], alpha: float) -> tuple[int, int]:
    least = sum(item.found for item in strata)
    greatest = sum(item.size - item.drawn + item.found for item in strata)
    middle = min(
        greatest, max(least, round(sum(item.size * item.found / item.drawn for item in strata)))
    )
    return (
        _end(strata, alpha, middle, least),
        _end(strata, alpha, middle, greatest),
    )


def _end(strata: tuple[Sampled, ...], alpha: float, inside: int, limit: int) -> int:
    """Return the last total between `inside` and `limit` that is not rejected."""
    sign = 1 if limit >= inside else -1
    step = max(1, round(0.01 * sum(item.size for item in strata)))
    outside = inside
    while outside != limit:  # gallop to a total that is rejected
        outside = sign * min(sign * limit, sign * (inside + sign * step))
        if p_value(strata, outside) <= alpha:
            break
        inside, step = outside, 2 * step
    else:
        return limit
    exact = max(1, int(_RESOLUTION * sum(item.size for item in strata)))
    while abs(outside - inside) > exact:
        between = (inside + outside) // 2
        if p_value(strata, between) <= alpha:
            outside = between
        else:
            inside = between
    return outside - sign


def p_value(strata: tuple[Sampled, ...], total: int) -> float:
    """Return the p-value of the hypothesis that the strata hold `total` counted pictures."""
    divisions = _divisions(strata, total)
    outcomes = [
        likely_found(item.size, item.drawn, wrong)
        for item, wrong in zip(strata, divisions, strict=True)
    ]
    at = [round(item.found - found[0]) for item, found in zip(strata, outcomes, strict=True)]
    if any(not 0 <= index < len(found) for index, found in zip(at, outcomes, strict=True)):
        return 0.0
    logs = [
        log_probabilities(item.size, item.drawn, wrong[:, None], found)
        for item, wrong, found in zip(strata, divisions, outcomes, strict=True)
    ]
    best = [log_prediction(item, found) for item, found in zip(strata, outcomes, strict=True)]
    if len(strata) == 1:
        ratio = best[0] - logs[0][0]
        inside = np.exp(logs[0][0])[ratio < ratio[at[0]] - _TOLERANCE].sum()
        return float(1 - inside)
    ratio = best[0][:, None] + best[1][None, :] - _profile(logs)
    agreeing = (ratio < ratio[at[0], at[1]] - _TOLERANCE).astype(np.float64)
    inside = ((np.exp(logs[0]) @ agreeing) * np.exp(logs[1])).sum(axis=1)
    return float(1 - inside.min())


def _profile(logs: Sequence[Floats]) -> Floats:
    """Return the greatest log-likelihood of each outcome over the divisions."""
    profile = np.full((logs[0].shape[1], logs[1].shape[1]), -np.inf)
    for first, second in zip(*logs, strict=True):
        np.maximum(profile, first[:, None] + second[None, :], out=profile)
    return profile


def _divisions(strata: tuple[Sampled, ...], total: int) -> list[Floats]:
    if len(strata) == 1:
        return [np.array([float(total)])]
    first, second = strata
    least, most = max(0, total - second.size), min(total, first.size)
    points = np.unique(np.round(np.linspace(least, most, min(_DIVISIONS, most - least + 1))))
    return [points, total - points]
