"""Chooses by cross-validation how a linear probe is fitted, and predicts photos it has not seen."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seefood_training.calibrate import fit_temperature, softmax
from seefood_training.estimators import ESTIMATORS, Estimator
from seefood_training.linear_probe import Examined, Floats, Probe

_MUCH_WORK: Final = 5e7
"""`Estimator.work` from which on a comparison takes minutes on two cores."""


@dataclass(frozen=True, slots=True)
class ProbeChoice:
    """How a probe is fitted, and how good it is in cross-validation."""

    estimator: Estimator
    strength: float
    temperature: float
    """That suits the logits for photos that a probe was not fitted on."""
    losses: NDArray[np.float64]
    """Cross-entropy, in nats, of each such photo at that temperature, of shape `(n,)`."""
    weights: Floats
    """Of the photos, of shape `(n,)`, with the sum 1."""

    @property
    def loss(self) -> float:
        """The weighted mean of `losses`."""
        return float(self.losses @ self.weights)

    def is_better(self, other: "ProbeChoice") -> bool:
        """Return whether the loss is lower than that of `other` by more than a standard error."""
        difference = other.losses - self.losses
        mean = float(difference @ self.weights)
        return mean > float(np.sqrt(np.square(self.weights) @ np.square(difference - mean)))

    def fit(self, examined: Examined) -> Probe:
        """Return the probe of `examined`; its logits are divided by the temperature."""
        return self.estimator.fit(examined, self.strength).at(self.temperature)


def choose_probe(examined: Examined, estimators: Sequence[Estimator] = ESTIMATORS) -> ProbeChoice:
    """Return an estimator and the strength with the lowest cross-entropy in cross-validation.

    It is the first of `estimators`, unless a later one proves better. Those that would take long
    are not compared; the first one is then, if necessary, examined on a part of the photos.
    """
    affordable = [each for each in estimators if each.work(examined) <= _MUCH_WORK]
    if not affordable:
        return _best_strength(_smaller(examined, estimators[0]), estimators[0])
    first, *others = (_best_strength(examined, estimator) for estimator in affordable)
    for other in others:
        first = other if other.is_better(first) else first
    return first


def predict_out_of_fold(
    examined: Examined, fit: Callable[[Examined], Probe], *, mirrored: bool = True
) -> Floats:
    """Return each photo's logits, of shape `(n, classes)`, by a probe of the other folds.

    With `mirrored` they are the mean over the photo and its mirror image.
    """
    probes = ((inside, fit(examined.at(~inside))) for inside in _folds(examined))
    return _predictions(examined, probes, 1 + mirrored)


def _folds(examined: Examined) -> Iterator[NDArray[np.bool_]]:
    """Yield each fold as a mask."""
    return (examined.folds == fold for fold in np.unique(examined.folds))


def _predictions(
    examined: Examined, probes: Iterable[tuple[NDArray[np.bool_], Probe]], views: int = 2
) -> Floats:
    """Return the mean logits over so many views of the photos of each mask, by its probe."""
    logits = np.zeros((len(examined.labels), examined.classes), np.float32)
    for inside, probe in probes:
        seen = examined.features.at(inside).views[:views]
        logits[inside] = np.mean([probe.logits(view) for view in seen], axis=0)
    return logits


def _best_strength(examined: Examined, estimator: Estimator) -> ProbeChoice:
    """Return the best strength of `estimator`.

    Begins with the strongest regularisation and ends where two weaker ones in turn are no better.
    """
    choices: list[ProbeChoice] = []
    prepared = [(inside, estimator.prepare(examined.at(~inside))) for inside in _folds(examined)]
    for strength in estimator.strengths:
        logits = _predictions(examined, ((inside, fit(strength)) for inside, fit in prepared))
        choices.append(_judged(examined, logits, estimator, strength))
        losses = [choice.loss for choice in choices]
        if len(losses) > 2 and min(losses[-2:]) >= min(losses[:-2]):
            break
    return min(choices, key=lambda choice: choice.loss)


def _judged(
    examined: Examined, logits: Floats, estimator: Estimator, strength: float
) -> ProbeChoice:
    labels = examined.labels
    temperature = fit_temperature(logits, labels, doubt=1 / (len(labels) + 2))
    true = softmax(logits / temperature)[np.arange(len(labels)), labels]
    losses = -np.log(np.maximum(true, np.finfo(np.float32).tiny))
    weights = examined.weights / examined.weights.sum()
    return ProbeChoice(estimator, strength, temperature, losses, weights)


def _smaller(examined: Examined, estimator: Estimator) -> Examined:
    """Return every so many photos of `examined`; all of them if that leaves a single fold."""
    step = round(estimator.work(examined) / _MUCH_WORK)
    part = examined.at(np.arange(len(examined.labels)) % max(1, step) == 0)
    return part if len(np.unique(part.folds)) > 1 else examined
