"""Whether two counts of the same thing differ by more than chance, and by how much.

A histogram is compared at each edge between its bins: the share of pictures above it, now and
before. Of two shares the exact test is Fisher's (1935): given the sum of both counts, the count of
one sample is hypergeometric. A run's tests are many, so each must pass a share of the bound on
false alarms (Bonferroni). Rabanser, Günnemann and Lipton (2019, "Failing Loudly") found such
univariate tests with Bonferroni's correction as good as any other at finding shifted pictures.

The size of a difference is Cohen's h (1988, chapter 6): the difference of `2 asin(sqrt(share))`,
on which the same step is as hard to see at 1 % as at 50 %.
"""

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_CLEARLY_CHANCE: Final = 2.5
"""Standard deviations up to which the exact test is not worth its time."""
_NEGLIGIBLE: Final = 1e-17


@dataclass(frozen=True, slots=True)
class Share:
    """A count out of a total that is not 0."""

    count: int
    total: int

    @property
    def value(self) -> float:
        """In [0, 1]."""
        return self.count / self.total


def effect(before: Share, now: Share) -> float:
    """Return Cohen's h, in [-pi, pi]: positive if the share has grown."""
    return 2 * (math.asin(math.sqrt(now.value)) - math.asin(math.sqrt(before.value)))


def chance(before: Share, now: Share, dispersion: float = 1.0) -> float:
    """Return the two-sided p-value of two shares that are equal but for chance.

    It is twice Fisher's exact one-sided one. `dispersion` is how many times the variance of a
    binomial count the counts vary, at least 1; above 1 the p-value is the normal approximation's.
    Differences that chance makes often have the p-value 1.
    """
    total = before.total + now.total
    count = before.count + now.count
    mean = now.total * count / total
    variance = mean * (1 - count / total) * before.total / max(1, total - 1)
    distance = abs(now.count - mean)
    if variance <= 0 or distance <= _CLEARLY_CHANCE * math.sqrt(variance * dispersion):
        return 1.0
    if dispersion > 1:
        return min(1.0, math.erfc(distance / math.sqrt(2 * variance * dispersion)))
    return min(1.0, 2 * _tail(now.count, now.total, count, total, upper=now.count > mean))


def chance_of_means(
    before: Sequence[int], now: Sequence[int], weights: Sequence[float], dispersion: float = 1.0
) -> float:
    """Return the two-sided p-value of two equal means, by the normal approximation.

    `before` and `now` are counts by bin, and `weights` what each bin counts. The variance is that
    of both together: a few pictures in an outer bin, of one side only, are no certainty.
    """
    pooled = [one + other for one, other in zip(before, now, strict=True)]
    mean = _mean(pooled, weights)
    squares = _mean(pooled, [(weight - mean) ** 2 for weight in weights])
    variance = squares * (1 / sum(before) + 1 / sum(now)) * dispersion
    if variance <= 0:
        return 1.0
    distance = abs(_mean(now, weights) - _mean(before, weights))
    return math.erfc(distance / math.sqrt(2 * variance))


def _mean(counts: Sequence[int], weights: Sequence[float]) -> float:
    total: float = sum(map(operator.mul, counts, weights))
    return total / sum(counts)


def _tail(drawn: int, draws: int, marked: int, total: int, *, upper: bool) -> float:
    """Return P(X >= drawn), or P(X <= drawn), of the hypergeometric X."""
    term = math.exp(
        _log_choose(marked, drawn)
        + _log_choose(total - marked, draws - drawn)
        - _log_choose(total, draws)
    )
    result, at = term, drawn
    while term > _NEGLIGIBLE * result:
        if upper:
            numerator = (marked - at) * (draws - at)
            denominator = (at + 1) * (total - marked - draws + at + 1)
            at += 1
        else:
            numerator = at * (total - marked - draws + at)
            denominator = (marked - at + 1) * (draws - at + 1)
            at -= 1
        if numerator <= 0:
            break
        term *= numerator / denominator
        result += term
    return result


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def dispersion_of(shares: Sequence[Share]) -> float:
    """Return how many times the variance of chance the shares of earlier runs vary, at least 1.

    It is Pearson's chi-square divided by its degrees of freedom (McCullagh and Nelder 1989, section
    4.5), and 1 unless chance makes so much in fewer than about 1 of 1,000 cases.
    """
    known = [share for share in shares if share.total]
    total, count = sum(share.total for share in known), sum(share.count for share in known)
    freedom = len(known) - 1
    if freedom < 1 or not 0 < count < total:
        return 1.0
    mean = count / total
    chi_square = sum(
        (share.count - share.total * mean) ** 2 / (share.total * mean * (1 - mean))
        for share in known
    )
    usual = freedom * (1 - 2 / (9 * freedom) + 3.1 * math.sqrt(2 / (9 * freedom))) ** 3
    return chi_square / freedom if chi_square > usual else 1.0
