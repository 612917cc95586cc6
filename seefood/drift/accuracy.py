"""Estimates how often the labels of a run are right, without any that a person has checked.

Held-out pictures say how often the model is right at each score of each label (histogram binning,
Zadrozny and Elkan 2001), which also is where its confidence is wrong. How many pictures of each
class a run has is estimated from its labels and scores by maximum likelihood, and the held-out
figures are reweighted accordingly (label shift: Saerens, Latinne and Decaestecker 2002; Garg et
al. 2020). Like every estimate without labels (Garg et al. 2022, "Leveraging unlabeled data to
predict out-of-distribution performance") it holds only as far as pictures with one score are alike:
`METHOD_ERROR` is about what remained in a simulation of nights of mixed sources. Of pictures that
resemble nothing in training the held-out ones say nothing: the interval holds whether all of them
are right or none is. Only an audit knows.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seefood.drift.fingerprint import SCORES, Fingerprint
from seefood.drift.measures import MEASURES, SCORE
from seefood.drift.reference import Reference

Floats = NDArray[np.float64]
METHOD_ERROR: Final = 0.02
"""Added to each side of the interval: the error of the method itself."""
NOVELTY: Final = "novelty"
_NOVEL: Final = 1.0
MIN_HELD_OUT: Final = 50
"""Labelled pictures without which there is no estimate."""
_MAX_LABELS: Final = 50
"""With more, the classes' frequencies are taken as in the held-out pictures."""
_PRIOR: Final = 4.0
"""Of so many pictures a score itself says how often the label is right (Laplace's smoothing)."""
_ITERATIONS: Final = 200
_Z: Final = 1.96


@dataclass(frozen=True, slots=True)
class AccuracyEstimate:
    """How often the labels are right, in [0, 1], with a 95 % interval."""

    estimate: float
    low: float
    high: float

    def as_json(self) -> dict[str, Any]:
        """Return the estimate as a JSON object."""
        return {
            "estimate": round(self.estimate, 4),
            "low": round(self.low, 4),
            "high": round(self.high, 4),
        }


def estimate_accuracy(run: Fingerprint, reference: Reference) -> AccuracyEstimate | None:
    """Return the estimated accuracy of the run's labels; None if the reference has no answers."""
    labels = sorted({*reference.right, *(_label(name) for name in run.numbers if _is_score(name))})
    held_out = sum(sum(_scores(reference.fingerprint, label)) for label in labels)
    counts = np.array([_scores(run, label) for label in labels], np.float64)
    if held_out < MIN_HELD_OUT or not counts.sum():
        return None
    said = np.array([_scores(reference.fingerprint, label) for label in labels], np.float64)
    right = np.array([reference.right.get(label, _nothing()) for label in labels], np.float64)
    shares = counts / counts.sum()
    rate = _right_rate(said, right)
    if 1 < len(labels) <= _MAX_LABELS:
        rate = _shifted(rate, said, shares, _wrong_shares(labels, reference))
    estimate = float((shares * rate).sum())
    variance = estimate * (1 - estimate) * (1 / counts.sum() + 1 / held_out)
    margin = METHOD_ERROR + _Z * math.sqrt(max(0.0, variance))
    unlike = max(0.0, _novel_share(run) - _novel_share(reference.fingerprint))
    low = (1 - unlike) * (estimate - margin)
    high = (1 - unlike) * (estimate + margin) + unlike
    return AccuracyEstimate(estimate, max(0.0, low), min(1.0, high))


def novel_count(run: Fingerprint) -> int:
    """Return how many pictures resemble nothing in training, by their novelty."""
    bins = run.numbers.get(NOVELTY, ())
    return sum(bins[MEASURES[NOVELTY].edges.index(_NOVEL) + 1 :]) if bins else 0


def _novel_share(run: Fingerprint) -> float:
    return novel_count(run) / max(1, sum(run.numbers.get(NOVELTY, ())))


def _is_score(name: str) -> bool:
    return name.startswith(SCORES)


def _label(name: str) -> str:
    return name.removeprefix(SCORES)


def _nothing() -> tuple[int, ...]:
    return (0,) * (len(MEASURES[SCORE].edges) + 1)


def _scores(fingerprint: Fingerprint, label: str) -> Sequence[int]:
    return fingerprint.numbers.get(f"{SCORES}{label}") or _nothing()


def _right_rate(said: Floats, right: Floats) -> Floats:
    """Return how often each label is right in each bin, of shape `(labels, bins)`."""
    edges = MEASURES[SCORE].edges
    middles = np.array([*((a + b) / 2 for a, b in zip((0.0, *edges), (*edges, 1.0), strict=True))])
    return np.asarray((right + _PRIOR * middles) / (said + _PRIOR))


def _wrong_shares(labels: Sequence[str], reference: Reference) -> Floats:
    """Return of the wrong pictures of each label (rows) the share of each true label."""
    shares = np.ones((len(labels), len(labels)))  # one imagined picture each
    for row, label in enumerate(labels):
        for truth, count in reference.confused.get(label, {}).items():
            if truth in labels:
                shares[row, labels.index(truth)] += count
    np.fill_diagonal(shares, 0)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _shifted(rate: Floats, said: Floats, shares: Floats, wrong: Floats) -> Floats:
    """Return `rate` for classes that are as frequent as in the run."""
    classes, bins = rate.shape
    # The probability of each true label and each cell (what was said, in which bin), held out.
    joint = (1 - rate)[None] * wrong.T[:, :, None]
    joint[np.arange(classes), np.arange(classes)] = rate
    joint *= (said + 0.5) / (said + 0.5).sum()
    before = joint.sum(axis=(1, 2))
    likelihood = joint / before[:, None, None]
    frequency = before
    for _ in range(_ITERATIONS):
        weighted = frequency[:, None, None] * likelihood
        posterior = weighted / weighted.sum(axis=0)
        frequency = (posterior * shares).sum(axis=(1, 2))
    return np.asarray(posterior[np.arange(classes), np.arange(classes)].reshape(classes, bins))
