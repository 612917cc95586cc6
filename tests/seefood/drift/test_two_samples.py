"""Rules of the tests of two shares: exact, symmetric, and as cautious as they claim."""

import math

import pytest

from seefood.drift.two_samples import Share, chance, chance_of_means, dispersion_of, effect


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [  # R: 2 * min(phyper tails); scipy.stats.hypergeom gives the same
        (Share(20, 2000), Share(50, 2000), 0.00039251623049),
        (Share(0, 500), Share(9, 500), 0.00376696175953),
        (Share(500, 500), Share(460, 500), 8.0732838990e-13),
    ],
)
def test_the_p_value_is_fishers(before: Share, now: Share, expected: float) -> None:
    """Twice the one-sided exact p-value, in either order."""
    assert expected == pytest.approx(chance(before, now), rel=1e-6)
    assert expected == pytest.approx(chance(now, before), rel=1e-6)


def test_what_chance_makes_often_is_no_evidence() -> None:
    """Small differences are not even computed."""
    assert 1.0 == chance(Share(100, 1000), Share(110, 1000))
    assert 1.0 == chance(Share(0, 1000), Share(0, 1000))


def test_millions_of_pictures_are_compared_exactly() -> None:
    """The tail's terms neither overflow nor vanish."""
    p_value = chance(Share(1_000_000, 10_000_000), Share(101_500, 1_000_000))
    z = 1500 / math.sqrt(0.1 * 0.9 * 1_000_000 * 10 / 11) * (10 / 11)
    assert math.erfc(z / math.sqrt(2)) == pytest.approx(p_value, rel=0.1)


def test_earlier_runs_that_vary_make_a_difference_less_certain() -> None:
    """The spread of earlier shares is the yardstick where it is above that of chance."""
    steady = [Share(count, 1000) for count in (95, 105, 99, 101, 110, 90)]
    varied = [Share(count, 1000) for count in (50, 150, 80, 120, 60, 140)]
    assert 1.0 == dispersion_of(steady)
    assert 10 < dispersion_of(varied) < 30
    before, now = Share(600, 6000), Share(160, 1000)
    assert chance(before, now) < 1e-6
    assert chance(before, now, dispersion_of(varied)) > 0.01


def test_means_are_compared_by_the_weight_of_the_bins() -> None:
    """Equal bins make no evidence; a moved mean does."""
    weights = (0.0, 1.0, 2.0)
    assert 1.0 == chance_of_means((10, 20, 10), (100, 200, 100), weights)
    assert chance_of_means((100, 200, 100), (60, 180, 160), weights) < 1e-6


def test_the_effect_has_the_sign_of_the_change() -> None:
    """Cohen's h of 0.5 and 0.75 is 0.5236."""
    assert math.pi / 6 == pytest.approx(effect(Share(1, 2), Share(3, 4)))
    assert -math.pi == pytest.approx(effect(Share(1, 1), Share(0, 1)))
