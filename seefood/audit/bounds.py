"""Confidence intervals for a count in any number of strata, from bounds on the tails.

For a weighted total S of what the strata's samples found, P(S <= s) is at most
exp(l s) E[exp(-l S)] for every l > 0 (Chernoff 1952), and a sample without replacement has at most
the moments of one with replacement (Hoeffding 1963, theorem 4). The logarithm of the bound is a
sum of concave functions of the strata's shares, so its supremum over all divisions of a total is
found exactly, by a Lagrange multiplier. The interval holds for every population and is wider than
`seefood.audit.exact`, which takes two strata only.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from seefood.audit.hypergeometric import Floats, Sampled

_RATES: Final = np.geomspace(0.01, 12.0, 28)
"""The values of l that are tried, as multiples of the inverse of the greatest weight."""
_STEPS: Final = 40


def many_strata_interval(strata: Sequence[Sampled], alpha: float) -> tuple[int, int]:
    """Return the least and the greatest count of the population, with confidence `1 - alpha`.

    Each of the strata was drawn from in part.
    """
    asked = list(strata)
    least = sum(item.found for item in asked)
    greatest = sum(item.size - item.drawn + item.found for item in asked)
    estimate = sum(item.size * item.found / item.drawn for item in asked)
    estimate = min(max(estimate, least), greatest)
    bound = float(np.log(alpha / 2))
    high = _last(asked, bound, estimate, greatest)
    # A count is found as often as its complement is missed.
    flipped = [Sampled(item.size, item.drawn, item.drawn - item.found) for item in asked]
    total = sum(item.size for item in asked)
    low = total - _last(flipped, bound, total - estimate, total - least)
    return max(least, int(np.floor(low))), min(greatest, int(np.ceil(high)))


def _last(strata: Sequence[Sampled], bound: float, inside: float, limit: float) -> float:
    """Return about the greatest total under which so few or fewer are found often enough."""
    outside = limit
    if _log_tail(strata, limit) > bound:
        return limit
    for _ in range(_STEPS):
        between = (inside + outside) / 2
        if _log_tail(strata, between) <= bound:
            outside = between
        else:
            inside = between
    return outside


def _log_tail(strata: Sequence[Sampled], total: float) -> float:
    """Return the bound of log P(S <= s) under the least favourable division of `total`."""
    size, drawn, found = (
        np.array([getattr(item, name) for item in strata], dtype=np.float64)
        for name in ("size", "drawn", "found")
    )
    weight = size / drawn
    rates = _RATES[:, None] / weight.max()
    lost: Floats = -np.expm1(-rates * weight)
    least, most = found / size, 1 - (drawn - found) / size

    def shares(multiplier: Floats) -> Floats:
        return np.clip(1 / lost - 1 / (multiplier[:, None] * weight), least, most)

    low = np.full(len(rates), 1e-12)
    high = np.full(len(rates), 1e15)
    for _ in range(_STEPS + 20):
        middle = np.sqrt(low * high)
        too_few = (shares(middle) * size).sum(axis=1) < total
        low, high = np.where(too_few, middle, low), np.where(too_few, high, middle)
    log_moment = (drawn * np.log1p(-shares(high) * lost)).sum(axis=1)
    return float((rates[:, 0] * (weight * found).sum() + log_moment).min())
