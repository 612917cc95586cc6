"""What a figure does not show: sentences for a result that is no better than a guess."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from seefood.sanitize import printable
from seefood_training.metrics import Share


def verdicts(labels: Sequence[str], confusion: ArrayLike) -> tuple[str, ...]:
    """Return a sentence for each way in which a result is no better than a guess.

    `confusion` has a row of counts for each true class, of shape `(classes, classes)`.
    """
    matrix = np.asarray(confusion)
    total, right = int(matrix.sum()), int(np.trace(matrix))
    if not total:
        return ()
    names = [printable(label) for label in labels]
    sentences = []
    present, predicted = matrix.sum(axis=1), matrix.sum(axis=0)
    if (present > 0).sum() > 1 and (predicted > 0).sum() == 1:
        sentences.append(f"every photo was labelled {names[int(predicted.argmax())]!r}")
    common = int(present.argmax())
    guess, share = int(present[common]) / total, Share(right, total)
    if (present > 0).sum() > 1 and share.interval[0] <= guess:
        sentences.append(
            f"{share.value:.1%} of {total:,} photos is not shown to be better than always "
            f"answering {names[common]!r}, which is right on {guess:.1%}"
        )
    return tuple(sentences)


def confusion_matrix_of(figures: Mapping[str, Mapping[str, Mapping[str, int]]]) -> list[list[int]]:
    """Return the confusion matrix in the figures of a bundle's metrics."""
    return [list(row.values()) for row in figures["confusion"].values()]
