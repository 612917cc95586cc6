import numpy as np
import pytest
from sklearn import metrics as oracle

from seefood_training.metrics import (
    Share,
    class_figures,
    clopper_pearson,
    confusion_matrix,
    precision_recall_curve,
    roc_curve,
    wilson,
)


@pytest.mark.parametrize(("count", "total"), [(8, 10), (733, 761), (1, 400)])
def test_wilson_s_bounds_are_the_shares_that_just_explain_the_count(count: int, total: int) -> None:
    """At either bound the count lies 1.96 standard deviations from what is expected."""
    for bound in wilson(count, total):
        deviation = (bound * (1 - bound) / total) ** 0.5
        assert abs(count / total - bound) / deviation == pytest.approx(1.959964, rel=1e-6)


def test_wilson_stays_inside_zero_and_one() -> None:
    """No mistake in 10 still leaves a mistake in four possible."""
    assert wilson(0, 10) == pytest.approx((0.0, 0.27753), abs=1e-5)
    assert wilson(10, 10) == pytest.approx((0.72247, 1.0), abs=1e-5)


def test_the_exact_interval_by_the_book() -> None:
    """No mistake in 10: the upper bound of 95 % is 1 - 0.025 ** (1 / 10)."""
    assert clopper_pearson(0, 10) == pytest.approx((0.0, 1 - 0.025**0.1))
    assert clopper_pearson(10, 10) == pytest.approx((0.025**0.1, 1.0))


@pytest.mark.parametrize("count", [1, 5, 17, 19])
def test_the_exact_interval_contains_the_close_one_s_centre(count: int) -> None:
    """Both tails of the exact interval have 2.5 %, checked by adding up the binomial."""
    low, high = clopper_pearson(count, 20)
    rng = np.random.default_rng(0)
    assert np.mean(rng.binomial(20, low, 400_000) >= count) == pytest.approx(0.025, abs=0.002)
    assert np.mean(rng.binomial(20, high, 400_000) <= count) == pytest.approx(0.025, abs=0.002)


def test_a_share_of_nothing_says_nothing() -> None:
    """Without pictures the interval is everything."""
    assert Share(0, 0).interval == (0.0, 1.0)
    assert np.isnan(Share(0, 0).value)


def test_the_confusion_matrix_has_a_row_for_each_true_class() -> None:
    """Two dogs, one of them called a cat."""
    matrix = confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 3)
    assert matrix.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]


@pytest.mark.parametrize("digits", [1, 6])
def test_curves_equal_scikit_learn_s(digits: int) -> None:
    """ROC area and average precision agree, also where many scores are equal."""
    rng = np.random.default_rng(digits)
    positive = rng.random(500) < 0.3
    scores = np.round(rng.normal(positive, 1.0), digits)
    assert roc_curve(positive, scores).area == pytest.approx(oracle.roc_auc_score(positive, scores))
    assert precision_recall_curve(positive, scores).area == pytest.approx(
        oracle.average_precision_score(positive, scores)
    )


def test_curves_of_a_class_without_pictures_have_no_area() -> None:
    """Nothing to find: the areas are no numbers, and nothing is raised."""
    nobody, scores = np.zeros(4, bool), np.array([0.1, 0.2, 0.3, 0.4])
    assert np.isnan(roc_curve(nobody, scores).area)
    assert np.isnan(precision_recall_curve(nobody, scores).area)


def test_figures_of_a_class() -> None:
    """Of two hot dogs one is found; of two other things one is taken for a hot dog."""
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.1, 0.9]])
    hotdog, _ = class_figures(("hotdog", "not_hotdog"), np.array([0, 0, 1, 1]), probabilities)
    assert Share(1, 2) == hotdog.recall
    assert Share(1, 2) == hotdog.precision
    assert Share(1, 2) == hotdog.false_positives
    assert hotdog.roc_area == pytest.approx(0.75)
