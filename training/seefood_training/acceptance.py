"""Which scores are accepted: the thresholds below which a picture is `unsure`.

A threshold is chosen on pictures that the network was not trained on. The user states the largest
share of mistakes among the accepted pictures, and the largest share of pictures that may be left
`unsure`. If both can be had, the threshold is the lowest with so few mistakes. If not, it is the
one that comes nearest to the wanted share of mistakes and still leaves few enough `unsure`: a
classifier that answers nothing is of no use, and what is reached is stated beside what was asked.

Both shares are meant for new pictures. The share of mistakes is (wrong + 1) / (accepted + 1), the
correction of conformal risk control (Angelopoulos et al. 2022): the observed share is too low for a
threshold that was chosen on the same pictures. Of the share left `unsure` the upper bound of the
exact one-sided 95 % interval (Clopper and Pearson 1934) is compared, except at the threshold 0.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from seefood.risk_curve import asked_percent, describe_curve
from seefood_training.metrics import Share

Floats = NDArray[np.floating]
Labels = NDArray[np.integer]
Flags = NDArray[np.bool_]

WRONG_SHARE: Final = 0.01
"""Largest share of the accepted pictures that may be wrong, unless stated."""
MOST_UNSURE: Final = 0.3
"""Largest share of the pictures that may be left `unsure`, unless stated."""
_CONFIDENCE: Final = 0.95
_ENOUGH: Final = 200
"""A label that was predicted so often gets a threshold of its own."""
_CURVE_POINTS: Final = 20


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asks of the accepted pictures."""

    wrong_share: float = WRONG_SHARE
    """Largest share of mistakes among the accepted pictures, in (0, 1)."""
    most_unsure: float = MOST_UNSURE
    """Largest share of pictures left `unsure`, in [0, 1)."""


WISH: Final = Wish()


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Thresholds, and what they do on the pictures that they were chosen on."""

    thresholds: tuple[float, ...]
    """For each label the score below which a picture is `unsure`, in [0, 1]."""
    wish: Wish
    unsure: Share
    wrong: Share
    """Mistakes among the accepted pictures."""
    own: tuple[bool, ...]
    """Whether a label's threshold was chosen on its own pictures; the others share one."""
    curve: tuple[tuple[float, float], ...]
    """The share left `unsure`, and the share of mistakes among the rest, by rising threshold."""

    @property
    def expected_wrong(self) -> float:
        """Return the share of mistakes among accepted pictures to expect on new ones."""
        return _corrected(self.wrong.count, self.wrong.total)

    @property
    def is_reached(self) -> bool:
        """Whether the expected share of mistakes is at most the wanted one."""
        return self.expected_wrong <= self.wish.wrong_share

    def sentence(self) -> str:
        """Return what was asked and what is reached, for the user."""
        low, high = self.wrong.interval
        reached = (
            f"{self.unsure.value:.0%} of the validation photos are left unsure, and of the others "
            f"{self.wrong.value:.1%} are wrong (95 % interval {low:.1%} to {high:.1%})"
        )
        asked = f"asked: at most {asked_percent(self.wish.wrong_share)} mistakes among the accepted"
        if self.is_reached:
            return f"{asked}; {reached}"
        if self.wrong.value <= self.wish.wrong_share:
            return (
                f"{asked}; NOT shown, because too few photos are accepted: {reached}; "
                f"{self.wrong.count:,} wrong of {self.wrong.total:,} cannot show it for new "
                f"photos, {self.wrong.count:,} of {self._enough:,} would"
            )
        return (
            f"{asked}; NOT reached while at most {asked_percent(self.wish.most_unsure, 0)} may be "
            f"left unsure: {reached}"
        )

    @property
    def _enough(self) -> int:
        """Return how many accepted photos show the wanted share with as many mistakes."""
        enough = max(0, int((self.wrong.count + 1) / self.wish.wrong_share) - 2)
        while _corrected(self.wrong.count, enough) > self.wish.wrong_share:
            enough += 1
        return enough

    def curve_sentence(self) -> str:
        """Return some points of the curve of mistakes against the share left `unsure`."""
        return (
            f"mistakes among the accepted, by the share left unsure: {describe_curve(self.curve)}"
        )

    def as_json(self) -> dict[str, Any]:
        """Return the figures as JSON values, for the training record of a bundle."""
        return {
            "asked_wrong": self.wish.wrong_share,
            "most_unsure": self.wish.most_unsure,
            "is_reached": self.is_reached,
            "unsure": round(self.unsure.value, 4),
            "wrong_among_accepted": round(self.wrong.value, 4),
            "expected_wrong": round(self.expected_wrong, 4),
            "pictures": self.unsure.total,
            "curve": [list(point) for point in self.curve],
        }


def choose_acceptance(probabilities: Floats, labels: Labels, wish: Wish = WISH) -> Acceptance:
    """Return the thresholds for calibrated `probabilities` of shape `(n, classes)`.

    `labels` are the true classes, of shape `(n,)`, n at least 1. A label that was predicted at
    least 200 times gets its own threshold, by the same rule on the pictures that were given it.
    """
    top, predicted = probabilities.max(axis=1), probabilities.argmax(axis=1)
    wrong = predicted != labels
    shared = _threshold(top, wrong, wish)
    counts = np.bincount(predicted, minlength=probabilities.shape[1])
    thresholds = np.full(len(counts), shared)
    for label in np.flatnonzero(counts >= _ENOUGH):
        thresholds[label] = _threshold(top[predicted == label], wrong[predicted == label], wish)
    accepted = top >= thresholds[predicted]
    return Acceptance(
        thresholds=tuple(map(float, thresholds)),
        wish=wish,
        unsure=Share(int((~accepted).sum()), len(top)),
        wrong=Share(int((accepted & wrong).sum()), int(accepted.sum())),
        own=tuple(map(bool, counts >= _ENOUGH)),
        curve=mistakes_by_share(top, wrong),
    )


def threshold_leaving(top: Floats, share: float) -> float:
    """Return the highest threshold on the scores `top` that leaves at most `share` unsure."""
    cuts, accepted = _cuts(np.sort(top)[::-1])
    allowed = np.flatnonzero(len(top) - accepted <= share * len(top))
    return float(cuts[allowed[0]])


def _threshold(scores: Floats, wrong: Flags, wish: Wish) -> float:
    order = np.argsort(-scores, kind="stable")
    cuts, accepted = _cuts(scores[order])
    mistakes = np.cumsum(wrong[order])[accepted - 1]
    total = len(scores)
    left = total - accepted
    # Upper Clopper-Pearson bound of the share left; nothing is left at the last cut, 0.
    bound = beta.ppf(_CONFIDENCE, left + 1, np.maximum(accepted, 1e-9))
    allowed = (bound <= wish.most_unsure) | (left == 0)
    expected = (mistakes + 1) / (accepted + 1)
    reached = np.flatnonzero(allowed & (expected <= wish.wrong_share))
    if len(reached):
        return float(cuts[reached[-1]])
    nearest = expected[allowed].min()
    return float(cuts[np.flatnonzero(allowed & (expected == nearest))[-1]])


def _cuts(scores: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Return the thresholds that differ in effect, falling, and how many pictures each accepts.

    `scores` fall. Equal scores are accepted together. The last threshold is 0.
    """
    accepted = np.append(np.flatnonzero(np.diff(scores)) + 1, len(scores))
    inner = accepted[:-1]
    return np.append((scores[inner - 1] + scores[inner]) / 2, 0.0), accepted


def _corrected(wrong: int, accepted: int) -> float:
    return (wrong + 1) / (accepted + 1)


def mistakes_by_share(top: Floats, wrong: Flags) -> tuple[tuple[float, float], ...]:
    """Return the share left unsure and the share of mistakes among the rest, by rising threshold.

    At most 20 thresholds on the scores `top`; `wrong` says of each picture whether its label is.
    Both are of shape `(n,)`, n at least 1.
    """
    order = np.argsort(-top, kind="stable")
    _, accepted = _cuts(top[order])
    mistakes = np.cumsum(wrong[order])[accepted - 1] / accepted
    left = 1 - accepted / len(top)
    wanted = np.linspace(0, 0.95, _CURVE_POINTS)
    chosen = np.unique([int(np.abs(left - share).argmin()) for share in wanted])[::-1]
    return tuple((round(float(left[k]), 4), round(float(mistakes[k]), 4)) for k in chosen)
