"""How far a network is taken from its linear probe to its fine-tuned weights.

The weights are interpolated (WiSE-FT: M. Wortsman et al., CVPR 2022, arXiv:2109.01903), as far from
the probe as photos left out prove to be better.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seefood_training.calibrate import calibrated, softmax
from seefood_training.fit_types import Floats
from seefood_training.metrics import Share

POSITIONS: Final = (0.0, 0.3, 0.6, 1.0)
"""The interpolations that are compared: 0 is the probe, 1 the fine-tuned weights."""
_TOLERANCE: Final = 0.5
"""Standard errors of the cross-entropy: as good as the best is what is within them. The rule is of
L. Breiman et al., "Classification and Regression Trees", 1984, with a whole one: the probe was then
kept where test photos showed it to be worse (docs/training.md)."""

Weights = list[NDArray[Any]]


def interpolate(start: Sequence[Any], end: Sequence[Any], position: float) -> Weights:
    """Return weights between `start`, at the position 0, and `end`, at 1."""
    return [(1 - position) * one + position * other for one, other in zip(start, end, strict=True)]


def choose_position(logits: Floats, labels: NDArray[np.int64], weights: Floats) -> int:
    """Return the index of the least fine-tuned answers that are as good as the best.

    They never have fewer photos right than the probe's.

    `logits` is of shape `(positions, n, classes)`, the probe's first; `weights` of shape `(n,)`.
    """
    share = weights / weights.sum()
    losses = np.stack([_losses(each, labels) for each in logits])
    best = int((losses @ share).argmin())
    right = (logits.argmax(axis=2) == labels).sum(axis=1)
    for index, each in enumerate(losses):
        difference = each - losses[best]
        mean = float(difference @ share)
        error = float(np.sqrt(np.square(share) @ np.square(difference - mean)))
        if mean <= _TOLERANCE * error and right[index] >= right[0]:
            return index
    return 0


def _losses(logits: Floats, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return each photo's cross-entropy, in nats, with the best temperature."""
    true = softmax(calibrated(logits, labels))[np.arange(len(labels)), labels]
    # Of a run that diverged nothing is a number: it counts as the worst answer.
    return np.asarray(-np.log(np.maximum(np.nan_to_num(true), np.finfo(np.float32).tiny)))


def explain(best: int, logits: Floats, labels: NDArray[np.int64], weights: Floats) -> str:
    """Return what each interpolation reaches and that the one at `best` is taken.

    The other arguments are those of `choose_position`.
    """
    count, share = len(labels), weights / weights.sum()
    parts = []
    for position, each in zip(POSITIONS, logits, strict=True):
        right = Share(int((each.argmax(axis=1) == labels).sum()), count)
        name = "the probe" if position == 0 else f"{position:.0%} fine-tuned"
        parts.append(f"{name} {right.value:.1%} (loss {_losses(each, labels) @ share:.3f})")
    taken = "the probe alone, because fine-tuning does not prove better"
    if best:
        taken = f"{POSITIONS[best]:.0%} fine-tuned, the least that is as good as the best"
    return f"on the {count} photos left out: {', '.join(parts)}; kept: {taken}"
