"""Calibration: a temperature for the probabilities, and how far they are from the accuracy.

Temperature: one number divides all logits (Guo et al. 2017, "On Calibration of Modern Neural
Networks", section 4.2). It changes the probabilities but no label.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Labels = NDArray[np.integer]

_MIN_TEMPERATURE: Final = 0.01
_MAX_TEMPERATURE: Final = 10_000.0
_BISECTIONS: Final = 80


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


def fit_temperature(logits: Floats, labels: Labels, doubt: float = 0.0) -> float:
    """Return the temperature in [0.01, 10,000] that gives `labels` the lowest cross-entropy.

    `logits` is of shape `(n, classes)`, `labels` holds each picture's true class, `(n,)`. `doubt`,
    in [0, 1), is the probability that a label is drawn evenly from all classes instead: it keeps
    the probabilities below 1 where a few pictures are all right (Platt 1999 smooths so).
    """
    logits = np.asarray(logits, np.float64)
    true = logits[np.arange(len(logits)), labels]
    true = (1 - doubt) * true + doubt * logits.mean(axis=1)
    low, high = np.log(1 / _MAX_TEMPERATURE), np.log(1 / _MIN_TEMPERATURE)
    for _ in range(_BISECTIONS):  # the loss is convex in 1 / temperature: bisect its slope
        middle = (low + high) / 2
        expected = (softmax(logits * np.exp(middle)) * logits).sum(axis=1)
        if np.mean(expected - true) > 0:
            high = middle
        else:
            low = middle
    return float(np.exp(-(low + high) / 2))


def calibrated(logits: Floats, labels: Labels) -> Floats:
    """Return `logits`, of shape `(n, classes)`, divided by the temperature that suits `labels`.

    Networks are compared so: one whose probabilities are too near to 1 can still rank the classes
    better, and every bundle gets a temperature. Logits that are no numbers stay so.
    """
    temperature = fit_temperature(logits, labels, doubt=1 / (len(labels) + 2))
    return np.asarray(logits / temperature, np.float32)


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
