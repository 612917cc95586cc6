import numpy as np
import pytest

from seefood_training.calibrate import (
    choose_thresholds,
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
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
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


def predictions(scores: list[float], right: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    top = np.array(scores)
    return np.stack([top, 1 - top], axis=1), np.where(right, 0, 1)


def test_threshold_is_between_accepted_and_refused_scores() -> None:
    """With one mistake below 200 right answers, 1 % accepts the 200 and not the mistake."""
    probabilities, labels = predictions([0.9] * 200 + [0.7], [True] * 200 + [False])
    assert choose_thresholds(probabilities, labels, share=0.009) == pytest.approx((0.8, 0.8))


def test_no_threshold_if_all_are_right() -> None:
    """Without mistakes on enough pictures nothing is unsure."""
    probabilities, labels = predictions([0.6] * 100, [True] * 100)
    assert choose_thresholds(probabilities, labels, share=0.01) == (0.0, 0.0)


def test_one_mistake_is_added() -> None:
    """98 right answers cannot show that at most 1 % is wrong; then nothing is accepted."""
    probabilities, labels = predictions([0.6] * 98, [True] * 98)
    assert choose_thresholds(probabilities, labels, share=0.01) == (1.0, 1.0)


def test_equal_scores_are_accepted_together() -> None:
    """Correct predictions with the same score as a mistake are refused with it."""
    probabilities, labels = predictions([0.9] * 200 + [0.8] * 3, [True] * 202 + [False])
    assert choose_thresholds(probabilities, labels, share=0.009) == pytest.approx((0.85, 0.85))


def test_each_label_may_have_its_own_threshold() -> None:
    """Mistakes of one label do not make predictions of the other label unsure."""
    first, labels = predictions([0.9] * 200 + [0.7], [True] * 200 + [False])
    second = np.array([[0.4, 0.6]] * 150)
    probabilities = np.concatenate([first, second])
    truth = np.concatenate([labels, np.ones(150, int)])
    assert choose_thresholds(probabilities, truth, share=0.009, per_label=True) == pytest.approx(
        (0.8, 0.0)
    )


def test_the_strict_rule_needs_299_without_a_mistake() -> None:
    """The exact bound at 95 % and 1 % needs 299 pictures (the rule of three)."""
    for pictures, expected in ((298, 1.0), (299, 0.0)):
        probabilities, labels = predictions([0.6] * pictures, [True] * pictures)
        thresholds = choose_thresholds(probabilities, labels, share=0.01, confidence=0.95)
        assert (expected, expected) == thresholds


def test_the_stated_share_holds_on_new_pictures() -> None:
    """Thresholds chosen on one half keep the mean share of mistakes on the other half."""
    shares = []
    for seed in range(40):
        logits, labels = calibrated(1600, 2, seed=seed)
        probabilities = softmax(logits)
        threshold = choose_thresholds(probabilities[:800], labels[:800], share=0.05)[0]
        accepted = probabilities[800:].max(axis=1) >= threshold
        wrong = probabilities[800:].argmax(axis=1) != labels[800:]
        shares.append(wrong[accepted].mean() if accepted.any() else 0.0)
    assert np.mean(shares) <= 0.05
