"""What is measured of a classifier: plain functions from labels and scores to figures.

Intervals say how much of a figure is the luck of the test set; a share without one is not reported.
"""

from dataclasses import dataclass
from math import exp, lgamma, log, log1p, sqrt
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Labels = NDArray[np.integer]
Flags = NDArray[np.bool_]

_HALVINGS: Final = 60


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, with the interval in which its true value lies 95 times of 100."""

    count: int
    total: int

    @property
    def value(self) -> float:
        """In [0, 1]; NaN of nothing."""
        return self.count / self.total if self.total else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's, 95 %."""
        return wilson(self.count, self.total)


@dataclass(frozen=True, slots=True)
class Curve:
    """Points in the unit square, from the strictest threshold to the loosest, and their area."""

    x: Floats
    y: Floats
    area: float


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """How one class fares against all others."""

    label: str
    recall: Share
    """Of the pictures of the class, those that were answered with it."""
    precision: Share
    """Of the pictures answered with the class, those that are of it."""
    false_positives: Share
    """Of the pictures of other classes, those that were answered with it."""
    roc_area: float
    average_precision: float


def wilson(count: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval of the share `count / total`: close, and never outside [0, 1]."""
    if total == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = count / total
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2)
    return max(0.0, centre - half), min(1.0, centre + half)


def clopper_pearson(count: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of the share `count / total`: never too narrow."""
    tail = (1 - confidence) / 2
    low = 0.0 if count == 0 else _solve(total - count, total, tail)
    high = 1.0 if count == total else _solve(count, total, tail)
    return (1 - low if count else 0.0), high


def confusion_matrix(truth: Labels, answers: Labels, classes: int) -> NDArray[np.int64]:
    """Return counts of shape `(classes, classes)`: a row for each true class."""
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (truth, answers), 1)
    return matrix


def roc_curve(positive: Flags, scores: Floats) -> Curve:
    """Return recall (y) over the false-positive rate (x) for all thresholds on `scores`.

    The area is NaN if all pictures are positive or none is.
    """
    hits, alarms = _counts(positive, scores)
    with np.errstate(invalid="ignore", divide="ignore"):
        x = np.concatenate([[0.0], alarms / alarms[-1:]])
        y = np.concatenate([[0.0], hits / hits[-1:]])
    return Curve(x, y, float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2)))


def precision_recall_curve(positive: Flags, scores: Floats) -> Curve:
    """Return precision (y) over recall (x) for all thresholds on `scores`.

    The area is the average precision, a sum of steps; NaN if no picture is positive.
    """
    hits, alarms = _counts(positive, scores)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = hits / hits[-1:]
        precision = hits / (hits + alarms)
    area = float(np.sum(np.diff(recall, prepend=0.0) * precision))
    return Curve(np.concatenate([[0.0], recall]), np.concatenate([precision[:1], precision]), area)


def class_figures(
    labels: tuple[str, ...], truth: Labels, probabilities: Floats
) -> tuple[ClassFigures, ...]:
    """Return the figures of each class; `probabilities` is of shape `(n, classes)`."""
    answers = probabilities.argmax(axis=1)
    figures = []
    for index, label in enumerate(labels):
        is_it, said = truth == index, answers == index
        hits = int((is_it & said).sum())
        figures.append(
            ClassFigures(
                label=label,
                recall=Share(hits, int(is_it.sum())),
                precision=Share(hits, int(said.sum())),
                false_positives=Share(int((said & ~is_it).sum()), int((~is_it).sum())),
                roc_area=roc_curve(is_it, probabilities[:, index]).area,
                average_precision=precision_recall_curve(is_it, probabilities[:, index]).area,
            )
        )
    return tuple(figures)


def _counts(positive: Flags, scores: Floats) -> tuple[Floats, Floats]:
    """Return how many positives and negatives lie at or above each score, the highest first."""
    order = np.argsort(-scores, kind="stable")
    scores, positive = scores[order], positive[order]
    last_of_equal = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    hits = np.cumsum(positive)[last_of_equal].astype(np.float64)
    return hits, (last_of_equal + 1) - hits


def _solve(count: int, total: int, tail: float) -> float:
    """Return the share under which at most `count` of `total` has the probability `tail`."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _at_most(count, total, middle) > tail:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _at_most(count: int, total: int, share: float) -> float:
    """Return the binomial probability of at most `count` of `total`, each with `share`."""
    if not 0 < share < 1:
        return 1.0 if share <= 0 else 0.0
    return sum(
        exp(
            lgamma(total + 1)
            - lgamma(k + 1)
            - lgamma(total - k + 1)
            + k * log(share)
            + (total - k) * log1p(-share)
        )
        for k in range(count + 1)
    )
