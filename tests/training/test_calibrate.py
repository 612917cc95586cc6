import numpy as np
import pytest

from seefood_training.calibrate import (
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    reliability,
    softmax,
)

RNG = np.random.default_rng(0)


def calibrated(pictures: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return logits, and labels drawn from the probabilities that the logits state."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (pictures, classes))
    cumulative = softmax(logits).cumsum(axis=1)
    labels = (cumulative < rng.random((pictures, 1))).sum(axis=1)
    return logits, np.minimum(labels, classes - 1)


@pytest.mark.parametrize("classes", [2, 10])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0, 1000.0])
def test_temperature_of_scaled_logits(classes: int, temperature: float) -> None:
    """Logits that were multiplied by T need the temperature T."""
    logits, labels = calibrated(40_000, classes, seed=1)
    assert temperature == pytest.approx(fit_temperature(logits * temperature, labels), rel=0.05)


def test_temperature_is_a_minimum() -> None:
    """No temperature nearby has a lower cross-entropy."""
    logits, labels = calibrated(500, 3, seed=2)
    best = fit_temperature(logits * 4, labels)
    losses = [
        negative_log_likelihood(softmax(logits * 4 / (best * factor)), labels)
        for factor in (0.97, 1.0, 1.03)
    ]
    assert losses[1] == min(losses)


def test_temperature_changes_no_label() -> None:
    """Calibration changes probabilities but no label."""
    logits, labels = calibrated(500, 5, seed=3)
    scaled = softmax(logits / fit_temperature(logits, labels))
    np.testing.assert_array_equal(logits.argmax(axis=1), scaled.argmax(axis=1))


def test_perfect_predictions_get_the_lowest_temperature() -> None:
    """If every label is right there is no minimum, and the bound is returned."""
    logits = np.array([[2.0, 0.0], [0.0, 3.0]])
    assert pytest.approx(0.01) == fit_temperature(logits, np.array([0, 1]))


def test_calibration_error_by_hand() -> None:
    """Two bins: score 0.9 and half of them right, score 0.6 and all right."""
    probabilities = np.array([[0.9, 0.1], [0.1, 0.9], [0.6, 0.4], [0.4, 0.6]])
    labels = np.array([0, 0, 0, 1])
    assert pytest.approx((2 * 0.4 + 2 * 0.4) / 4) == expected_calibration_error(
        probabilities, labels, bins=10
    )
    bins = reliability(probabilities, labels, bins=10)
    assert [(2, 1.0), (2, 0.5)] == [(each.count, each.accuracy) for each in bins]


def test_a_calibrated_network_has_a_small_error() -> None:
    """Labels drawn from the stated probabilities leave only sampling noise."""
    logits, labels = calibrated(40_000, 3, seed=4)
    assert expected_calibration_error(softmax(logits), labels) < 0.01
    assert expected_calibration_error(softmax(logits * 3), labels) > 0.05


def test_a_score_of_one_is_in_the_last_bin() -> None:
    """The upper end of the last bin belongs to it."""
    (only,) = reliability(np.array([[1.0, 0.0]]), np.array([0]), bins=5)
    assert only.count == 1
