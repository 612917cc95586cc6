"""Calibration: a temperature for the probabilities, and the score below which a row is `unsure`.

Temperature: one number divides all logits (Guo et al. 2017, "On Calibration of Modern Neural
Networks", section 4.2). It changes the probabilities but no label.

Threshold: the lowest score such that at most a stated share of the validation pictures at or above
it is wrong. The observed share is too low for a threshold that was chosen on the same pictures, so
the share is computed as (wrong + 1) / (accepted + 1). This is the correction of conformal risk
control (Angelopoulos et al. 2022): the expected share on new pictures of the same kind is at most
the stated one. With `confidence`, the upper Clopper-Pearson bound of the share is used instead. It
is stricter and needs more validation pictures (at 0.95 and 1 %, 299 without a mistake).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seefood_training.metrics import clopper_pearson

Floats = NDArray[np.floating]
Labels = NDArray[np.integer]

_MIN_TEMPERATURE: Final = 0.01
_MAX_TEMPERATURE: Final = 100.0
_BISECTIONS: Final = 80
_ACCEPT_NONE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Bin:
    """The pictures whose top scores are in one interval."""

    count: int
    confidence: float
    """Their mean top score."""
    accuracy: float
    """The share of them that has the right label."""


def softmax(logits: Floats) -> Floats:
    """Return the probabilities of `logits`, both of shape `(n, classes)`, in float64."""
    shifted = np.asarray(logits, np.float64) - np.max(logits, axis=1, keepdims=True)
    weights = np.exp(shifted)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def fit_temperature(logits: Floats, labels: Labels) -> float:
    """Return the temperature in [0.01, 100] that gives `labels` the lowest cross-entropy.

    `logits` is of shape `(n, classes)`, `labels` holds each picture's true class, `(n,)`.
    """
    logits = np.asarray(logits, np.float64)
    true = logits[np.arange(len(logits)), labels]
    low, high = np.log(1 / _MAX_TEMPERATURE), np.log(1 / _MIN_TEMPERATURE)
    for _ in range(_BISECTIONS):  # the loss is convex in 1 / temperature: bisect its slope
        middle = (low + high) / 2
        expected = (softmax(logits * np.exp(middle)) * logits).sum(axis=1)
        if np.mean(expected - true) > 0:
            high = middle
        else:
            low = middle
    return float(np.exp(-(low + high) / 2))


def negative_log_likelihood(probabilities: Floats, labels: Labels) -> float:
    """Return the mean cross-entropy, in nats, of `labels` of shape `(n,)`."""
    true = np.asarray(probabilities, np.float64)[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(true, np.finfo(np.float32).tiny)).mean())


def reliability(probabilities: Floats, labels: Labels, bins: int = 15) -> tuple[Bin, ...]:
    """Return the bins with at least one picture, of `bins` of equal width over the top scores."""
    top = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    index = np.minimum((top * bins).astype(int), bins - 1)
    return tuple(
        Bin(int(inside.sum()), float(top[inside].mean()), float(right[inside].mean()))
        for inside in (index == at for at in range(bins))
        if inside.any()
    )


def expected_calibration_error(probabilities: Floats, labels: Labels, bins: int = 15) -> float:
    """Return the mean difference between top score and accuracy over `bins`, in [0, 1]."""
    filled = reliability(probabilities, labels, bins)
    total = sum(each.count for each in filled)
    return sum(each.count * abs(each.confidence - each.accuracy) for each in filled) / total


def choose_thresholds(
    probabilities: Floats,
    labels: Labels,
    *,
    share: float = 0.01,
    confidence: float | None = None,
    per_label: bool = False,
) -> tuple[float, ...]:
    """Return for each class the score below which a picture is `unsure`, in [0, 1].

    `probabilities` is of shape `(n, classes)`, calibrated. At most `share` of the accepted pictures
    is wrong, by the rule in the module's docstring. With `per_label` each class gets a threshold
    for which this holds; otherwise all classes share one. If no threshold is low enough, it is 1:
    only a score of exactly 1 is accepted.
    """
    top, predicted = probabilities.max(axis=1), probabilities.argmax(axis=1)
    wrong = predicted != labels
    classes = int(probabilities.shape[1])
    if not per_label:
        return (_lowest_threshold(top, wrong, share, confidence),) * classes
    return tuple(
        _lowest_threshold(top[predicted == label], wrong[predicted == label], share, confidence)
        for label in range(classes)
    )


def _lowest_threshold(
    scores: Floats, wrong: NDArray[np.bool_], share: float, confidence: float | None
) -> float:
    order = np.argsort(-scores, kind="stable")
    scores, mistakes = scores[order], np.cumsum(wrong[order])
    for accepted in range(len(scores), 0, -1):
        last = float(scores[accepted - 1])
        below = float(scores[accepted]) if accepted < len(scores) else 0.0
        if below == last and accepted < len(scores):
            continue  # equal scores are accepted together or not at all
        wrong_count = int(mistakes[accepted - 1])
        if _wrong_share(wrong_count, accepted, confidence) <= share:
            return 0.0 if accepted == len(scores) else (below + last) / 2
    return _ACCEPT_NONE


def _wrong_share(wrong: int, accepted: int, confidence: float | None) -> float:
    if confidence is None:
        return (wrong + 1) / (accepted + 1)
    return clopper_pearson(wrong, accepted, 2 * confidence - 1)[1]
