"""The intervals of an audit hold for every population, and are short."""

from itertools import product
from math import comb

import numpy as np
import pytest

from seefood.audit.bounds import many_strata_interval
from seefood.audit.exact import count_interval
from seefood.audit.hypergeometric import Sampled, log_probabilities

ALPHA = 0.1


def _probability(size: int, drawn: int, wrong: int, found: int) -> float:
    return comb(wrong, found) * comb(size - wrong, drawn - found) / comb(size, drawn)


def test_probabilities_are_those_of_counting_samples() -> None:
    """The hypergeometric probabilities equal quotients of whole numbers, far beyond the table."""
    found = np.arange(20, dtype=np.float64)
    small = np.exp(log_probabilities(900, 60, np.array(40.0), found))
    assert np.allclose([_probability(900, 60, 40, k) for k in range(20)], small)
    large = np.exp(log_probabilities(50_000_000, 60, np.array(2_000_000.0), found))
    assert np.allclose([comb(60, k) * 0.04**k * 0.96 ** (60 - k) for k in range(20)], large, 1e-3)


@pytest.mark.parametrize("expected", [(None, None), (0.02, 0.3), (0.4, 0.01)])
def test_an_exact_interval_covers_every_small_population(
    expected: tuple[float | None, float | None],
) -> None:
    """Summed over all samples, the interval holds often enough, whatever was expected."""
    sizes, drawn = (14, 9), (6, 5)
    intervals = {
        found: count_interval(
            [Sampled(*item) for item in zip(sizes, drawn, found, expected, strict=True)], ALPHA
        )
        for found in product(range(drawn[0] + 1), range(drawn[1] + 1))
    }
    for wrong in product(range(sizes[0] + 1), range(sizes[1] + 1)):
        missed = sum(
            _probability(sizes[0], drawn[0], wrong[0], found[0])
            * _probability(sizes[1], drawn[1], wrong[1], found[1])
            for found, (low, high) in intervals.items()
            if not low <= sum(wrong) <= high
        )
        assert missed <= ALPHA + 1e-9, wrong


def test_a_bound_covers_every_small_population() -> None:
    """The interval for any number of strata holds often enough too."""
    size, drawn = 60, 25
    intervals = [many_strata_interval([Sampled(size, drawn, k)], ALPHA) for k in range(drawn + 1)]
    for wrong in range(size + 1):
        missed = sum(
            _probability(size, drawn, wrong, found)
            for found, (low, high) in enumerate(intervals)
            if not low <= wrong <= high
        )
        assert missed <= ALPHA, wrong


def test_expectations_that_are_right_make_an_interval_shorter() -> None:
    """The scores decide about the length alone."""
    found = [(17_000, 130, 0), (3_000, 60, 11)]
    plain = count_interval([Sampled(*item) for item in found], 0.05)
    informed = [Sampled(*item, share) for item, share in zip(found, (0.003, 0.18), strict=True)]
    low, high = count_interval(informed, 0.05)
    assert high - low < 0.9 * (plain[1] - plain[0])


def test_what_is_known_wholly_needs_no_interval() -> None:
    """A stratum that was asked about wholly counts exactly; one without answers may be anything."""
    assert (7, 7) == count_interval([Sampled(30, 30, 7)], ALPHA)
    assert (7, 12) == count_interval([Sampled(30, 30, 7), Sampled(5, 0, 0)], ALPHA)


def test_three_strata_take_the_bound() -> None:
    """More than two strata that were asked about in part have an interval as well."""
    low, high = count_interval([Sampled(1000, 100, 3)] * 3, ALPHA)
    assert low < 90 < high
    assert high - low < 400
