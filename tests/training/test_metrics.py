"""Figures of a classifier, checked against definitions and hand-counted examples."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="metrics need scikit-learn")

from seefood_training.metrics import (
    Share,
    class_figures,
    confusion_matrix,
    precision_recall_curve,
    roc_curve,
)


@pytest.mark.parametrize(("count", "total"), [(8, 10), (733, 761), (1, 400)])
def test_wilson_bounds_explain_the_count(count: int, total: int) -> None:
    """At either bound the count is 1.96 standard deviations from its expected value."""
    for bound in Share(count, total).interval:
        deviation = (bound * (1 - bound) / total) ** 0.5
        assert pytest.approx(1.959964, rel=1e-6) == abs(count / total - bound) / deviation


def test_wilson_interval_is_inside_zero_and_one() -> None:
    """No mistake among 10 leaves up to 28 % possible."""
    assert pytest.approx((0.0, 0.27753), abs=1e-5) == Share(0, 10).interval
    assert pytest.approx((0.72247, 1.0), abs=1e-5) == Share(10, 10).interval


def test_share_of_nothing() -> None:
    """A share of no pictures is NaN and its interval is everything."""
    assert (0.0, 1.0) == Share(0, 0).interval
    assert np.isnan(Share(0, 0).value)


def test_confusion_matrix_has_a_row_for_each_true_class() -> None:
    """Two pictures of class 0, one of them predicted as 1; class 2 has no picture."""
    matrix = confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 3)
    assert [[1, 1, 0], [0, 1, 0], [0, 0, 0]] == matrix.tolist()


# From the highest score down: positive, then one of each with equal scores, then negative.
POSITIVE = np.array([True, True, False, False])
SCORES = np.array([0.9, 0.5, 0.5, 0.1])


def test_roc_curve_has_a_point_for_each_distinct_score() -> None:
    """Equal scores make one step, and points on a straight line are kept."""
    curve = roc_curve(POSITIVE, SCORES)
    np.testing.assert_allclose([0, 0, 0.5, 1], curve.x)
    np.testing.assert_allclose([0, 0.5, 1, 1], curve.y)


def test_precision_recall_curve_starts_with_the_highest_score() -> None:
    """At recall 0 the precision is that of the highest score, which may be wrong."""
    curve = precision_recall_curve(POSITIVE, SCORES)
    np.testing.assert_allclose([0, 0.5, 1, 1], curve.x)
    np.testing.assert_allclose([1, 1, 2 / 3, 0.5], curve.y)
    wrong_first = precision_recall_curve(~POSITIVE, SCORES)
    assert 0.0 == wrong_first.y[0]


def test_class_without_pictures_has_no_areas() -> None:
    """Areas are NaN where they are undefined, and nothing is raised."""
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4]])
    everything, nothing = class_figures(("a", "b"), np.array([0, 0]), probabilities)
    assert np.isnan(everything.roc_area)
    assert 1.0 == everything.average_precision
    assert np.isnan(nothing.roc_area)
    assert np.isnan(nothing.average_precision)


def test_class_figures() -> None:
    """One of two hot dogs is predicted as one; so is one of two other pictures."""
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.1, 0.9]])
    hotdog, _ = class_figures(("hotdog", "not_hotdog"), np.array([0, 0, 1, 1]), probabilities)
    assert Share(1, 2) == hotdog.recall
    assert Share(1, 2) == hotdog.precision
    assert Share(1, 2) == hotdog.false_positives
    assert pytest.approx(0.75) == hotdog.roc_area
    assert pytest.approx(0.5 + 0.5 * 2 / 3) == hotdog.average_precision
