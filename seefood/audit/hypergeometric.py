"""Probabilities of what a simple random sample without replacement finds.

A stratum has N pictures, K of them wrong (or of whatever kind is counted). A sample of n holds x
wrong ones with the hypergeometric probability C(K, x) C(N - K, n - x) / C(N, n).
"""

from dataclasses import dataclass
from functools import lru_cache
from math import lgamma
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SMALL: Final[Floats] = np.array([lgamma(value + 1) for value in range(32)])
_HALF_LOG_2PI: Final = 0.9189385332046727
_STRENGTH: Final = 60.0
"""How many answers an expectation is worth when outcomes are ordered."""
_DOUBT: Final = 0.25
_MAX_TABLE: Final = 1 << 22
"""Up to this size, factorials are looked up in a table of 8 bytes each."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """A stratum of `size` pictures of which `drawn` were answered and `found` counted."""

    size: int
    drawn: int
    found: int
    expected: float | None = None
    """The share that was expected before any answer; None if nothing was."""


def log_probabilities(size: int, drawn: int, wrong: Floats, found: Floats) -> Floats:
    """Return log P(found | wrong), -inf if impossible; the two are broadcast."""
    rest = size - wrong
    missed = drawn - found
    possible = (found <= wrong) & (missed <= rest)
    left_wrong = np.where(possible, wrong - found, 0.0)
    left_rest = np.where(possible, rest - missed, 0.0)

    def log(values: Floats) -> Floats:
        return _log_factorial(values, size)

    pairs = (log(wrong) - log(left_wrong)) + (log(rest) - log(left_rest))
    value = pairs - (log(found) + log(missed)) - _log_choose(size, drawn)
    return np.where(possible, value, -np.inf)


def likely_found(size: int, drawn: int, wrong: Floats) -> Floats:
    """Return the numbers that a sample may find with a probability that is not negligible.

    Under any of the numbers `wrong`; all others together have less than 1e-12.
    """
    shares = np.array([wrong.min(), wrong.max()]) / size
    reach = 8 * np.sqrt(drawn * shares * (1 - shares)) + 12
    low, high = drawn * shares[0] - reach[0], drawn * shares[1] + reach[1]
    return np.arange(max(0, np.floor(low)), min(drawn, np.ceil(high)) + 1, dtype=np.float64)


def log_prediction(stratum: Sampled, found: Floats) -> Floats:
    """Return the log-probability of each finding as it was expected before any answer.

    Mostly a beta-binomial distribution around the expected share, and partly one that expects
    hardly anything, so that wrong expectations cost little.
    """
    expected = stratum.expected
    if expected is None:
        return _beta_binomial(stratum.drawn, found, 0.5, 0.5)
    informed = _beta_binomial(
        stratum.drawn, found, _STRENGTH * expected + 0.3, _STRENGTH * (1 - expected) + 0.3
    )
    open_minded = _beta_binomial(stratum.drawn, found, 0.5, 1.5 if expected < 0.5 else 0.5)
    prediction: Floats = np.logaddexp(informed + np.log(1 - _DOUBT), open_minded + np.log(_DOUBT))
    return prediction


def _beta_binomial(drawn: int, found: Floats, a: float, b: float) -> Floats:
    missed = drawn - found
    choose = lgamma(drawn + 1) - _log_gamma(found + 1) - _log_gamma(missed + 1)
    both = _log_gamma(found + a) + _log_gamma(missed + b) - lgamma(drawn + a + b)
    return choose + both - (lgamma(a) + lgamma(b) - lgamma(a + b))


def _log_gamma(values: Floats) -> Floats:
    return np.array([lgamma(value) for value in values])


def _log_choose(size: int, drawn: int) -> float:
    values = _log_factorial(np.array([size, drawn, size - drawn], dtype=np.float64), size)
    return float(values[0] - values[1] - values[2])


def _log_factorial(values: Floats, greatest: int) -> Floats:
    """Return log(v!) of each whole number from 0 to `greatest`."""
    if greatest > _MAX_TABLE:
        return _stirling(values)
    table = _table(1 << max(10, greatest.bit_length()))
    return table[values.astype(np.int64)]


@lru_cache(maxsize=4)
def _table(size: int) -> Floats:
    return _stirling(np.arange(size, dtype=np.float64))


def _stirling(values: Floats) -> Floats:
    """Return log(v!) by Stirling's series from 32 on; its error is below 1e-12."""
    large = np.maximum(values, 32.0)
    series = (
        (large + 0.5) * np.log(large)
        - large
        + _HALF_LOG_2PI
        + 1 / (12 * large)
        - 1 / (360 * large**3)
        + 1 / (1260 * large**5)
    )
    return np.where(values < 32, _SMALL[np.clip(values, 0, 31).astype(np.int64)], series)
