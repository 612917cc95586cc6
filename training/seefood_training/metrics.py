"""Figures of a classifier on labelled pictures, with 95 % intervals for every share.

Curves and areas come from scikit-learn, intervals from SciPy. Both need the extra `train`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn import metrics

Floats = NDArray[np.floating]
Labels = NDArray[np.integer]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Share:
    """A count out of a total."""

    count: int
    total: int

    @property
    def value(self) -> float:
        """In [0, 1]; NaN if the total is 0."""
        return self.count / self.total if self.total else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval; `(0, 1)` if the total is 0."""
        if self.total == 0:
            return 0.0, 1.0
        low, high = binomtest(self.count, self.total).proportion_ci(method="wilson")
        return float(low), float(high)

    def as_json(self) -> dict[str, float | None]:
        """Return the share with its interval as JSON values; `value` is None if the total is 0."""
        low, high = self.interval
        value = self.value if self.total else None
        return {
            "value": value,
            "count": self.count,
            "total": self.total,
            "low": low,
            "high": high,
        }


@dataclass(frozen=True, slots=True)
class Curve:
    """Points in the unit square, from the highest threshold to the lowest."""

    x: Floats
    y: Floats


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One class against all others."""

    label: str
    recall: Share
    """Of the pictures of the class, those that were given its label."""
    precision: Share
    """Of the pictures that were given the label, those that are of the class."""
    false_positives: Share
    """Of the pictures of other classes, those that were given the label."""
    roc_area: float
    """NaN if all pictures are of the class or none is."""
    average_precision: float
    """NaN if no picture is of the class."""


def confusion_matrix(truth: Labels, predicted: Labels, classes: int) -> NDArray[np.int64]:
    """Return counts of shape `(classes, classes)`: a row for each true class."""
    matrix = metrics.confusion_matrix(truth, predicted, labels=np.arange(classes))
    return np.asarray(matrix, np.int64)


def roc_curve(positive: Flags, scores: Floats) -> Curve:
    """Return recall (y) over the false-positive rate (x) at every threshold on `scores`.

    `positive` must hold both values.
    """
    x, y, _ = metrics.roc_curve(positive, scores, drop_intermediate=False)
    return Curve(x, y)


def precision_recall_curve(positive: Flags, scores: Floats) -> Curve:
    """Return precision (y) over recall (x) at every threshold on `scores`.

    The curve starts at recall 0 with the precision of the highest threshold. At least one value of
    `positive` must be true.
    """
    precision, recall, _ = metrics.precision_recall_curve(positive, scores)
    precision, recall = precision[::-1], recall[::-1]
    return Curve(recall, np.concatenate([precision[1:2], precision[1:]]))


def class_figures(
    labels: tuple[str, ...], truth: Labels, probabilities: Floats
) -> tuple[ClassFigures, ...]:
    """Return the figures of each class; `probabilities` is of shape `(n, classes)`."""
    predicted = probabilities.argmax(axis=1)
    return tuple(
        _one_class(label, truth == index, predicted == index, probabilities[:, index])
        for index, label in enumerate(labels)
    )


def _one_class(label: str, positive: Flags, predicted: Flags, scores: Floats) -> ClassFigures:
    hits = int((positive & predicted).sum())
    has_positives, has_negatives = bool(positive.any()), not positive.all()
    area = average_precision = float("nan")
    if has_positives:
        average_precision = float(metrics.average_precision_score(positive, scores))
    if has_positives and has_negatives:
        area = float(metrics.roc_auc_score(positive, scores))
    return ClassFigures(
        label=label,
        recall=Share(hits, int(positive.sum())),
        precision=Share(hits, int(predicted.sum())),
        false_positives=Share(int((predicted & ~positive).sum()), int((~positive).sum())),
        roc_area=area,
        average_precision=average_precision,
    )
