"""A linear probe: logistic regression on the features of a pretrained network.

With few photos, training the last layer alone is more reliable than fine-tuning all layers, which
distorts the pretrained features (A. Kumar et al., "Fine-Tuning can Distort Pretrained Features and
Underperform Out-of-Distribution", ICLR 2022, arXiv:2202.10054). Fine-tuning therefore starts from a
probe. A probe on several networks softens the labels: a photo that similar photos contradict may
have a wrong label.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import ThreadpoolController

from seefood_training.calibrate import softmax

if TYPE_CHECKING:
    import keras

Floats = NDArray[np.float32]
STRENGTHS: Final = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
"""The regularisations that `choose_strength` compares, the strongest first."""
_ITERATIONS: Final = 300
_TOLERANCE: Final = 1e-3
_LEAST_DEVIATION: Final = 0.1
"""Of a map, relative to the mean of all: a map that hardly varies is not scaled up any more."""
_ABSENT: Final = 30.0
"""A class without photos gets logits that are so much lower than any other."""
_MUCH_WORK: Final = 5e7
"""Rows times maps times classes from which on the probes of a comparison see fewer photos."""


@dataclass(frozen=True, slots=True)
class Features:
    """The output of a network's global average for each photo, original and mirrored."""

    upright: Floats
    """Of shape `(n, maps)`."""
    mirrored: Floats

    def first(self, maps: int) -> "Features":
        """Return the first `maps` of them for every photo."""
        return Features(self.upright[:, :maps], self.mirrored[:, :maps])

    def at(self, chosen: NDArray[Any]) -> "Features":
        """Return the features of the `chosen` photos: their indices, or a mask."""
        return Features(self.upright[chosen], self.mirrored[chosen])


@dataclass(frozen=True, slots=True)
class Probe:
    """A linear classifier on features."""

    coefficients: Floats
    """Of shape `(maps, classes)`."""
    intercepts: Floats
    """Of shape `(classes,)`."""

    def logits(self, features: Floats) -> Floats:
        """Return logits of shape `(n, classes)` for features of shape `(n, maps)`."""
        return np.asarray(features @ self.coefficients + self.intercepts, np.float32)


@dataclass(frozen=True, slots=True)
class Examined:
    """Photos with their classes and weights, and the fold of each."""

    features: Features
    labels: NDArray[np.int64]
    weights: Floats
    """Of shape `(n,)`, relative to one another."""
    folds: NDArray[np.int64]
    """Of shape `(n,)`; copies of a photo are in the same fold."""
    classes: int
    trust: Floats | None = None
    """Of each map: by how much more its coefficient may grow; None for equal ones."""


def join_features(parts: list[Features]) -> Features:
    """Return the features of several networks, concatenated."""
    return Features(
        np.concatenate([part.upright for part in parts], axis=1),
        np.concatenate([part.mirrored for part in parts], axis=1),
    )


def fit_probe(examined: Examined, strength: float) -> Probe:
    """Return the probe with the lowest weighted, regularised cross-entropy.

    `strength` is scikit-learn's C on features of unit variance: a smaller value keeps the
    coefficients closer to zero.
    """
    features, labels, weights = examined.features, examined.labels, examined.weights
    both = np.concatenate([features.upright, features.mirrored])
    mean, deviation = both.mean(axis=0), both.std(axis=0)
    deviation = np.maximum(deviation, _LEAST_DEVIATION * deviation.mean() + 1e-8)
    if examined.trust is not None:
        deviation = deviation / examined.trust
    present = np.unique(labels)
    coefficients = np.zeros((both.shape[1], examined.classes), np.float32)
    intercepts = np.zeros(examined.classes, np.float32)
    if len(present) > 1:
        regression = LogisticRegression(C=strength, max_iter=_ITERATIONS, tol=_TOLERANCE)
        with _thread_pools().limit(limits=1):
            regression.fit(
                (both - mean) / deviation,
                np.tile(labels, 2),
                sample_weight=np.tile(weights * (len(labels) / weights.sum()), 2),
            )
        kernel, bias = regression.coef_.T, regression.intercept_
        if len(present) == 2:  # one column, of the second class
            kernel, bias = np.hstack([-kernel, kernel]) / 2, np.concatenate([-bias, bias]) / 2
        coefficients[:, present] = kernel / deviation[:, np.newaxis]
        intercepts[present] = bias - mean @ coefficients[:, present]
    absent = np.setdiff1d(np.arange(examined.classes), present)
    if len(absent):
        mean_logits = both @ coefficients[:, present] + intercepts[present]
        intercepts[absent] = mean_logits.min() - _ABSENT
    return Probe(coefficients, intercepts)


@cache
def _thread_pools() -> ThreadpoolController:
    """Return those of the linear algebra libraries.

    The products of a fit are so short that with several threads most of its time is waiting for
    them: 40 to 4,000 examples took 2 to 5 times as long on two busy cores.
    """
    return ThreadpoolController()


def predict_out_of_fold(examined: Examined, strength: float, *, mirrored: bool = True) -> Floats:
    """Return each photo's logits, of shape `(n, classes)`, by a probe of the other folds.

    With `mirrored` they are the mean over the photo and its mirror image.
    """
    logits = np.zeros((len(examined.labels), examined.classes), np.float32)
    for fold in np.unique(examined.folds):
        inside = examined.folds == fold
        probe = fit_probe(without(examined, inside), strength)
        here = examined.features.at(inside)
        views = (here.upright, here.mirrored) if mirrored else (here.upright,)
        logits[inside] = np.mean([probe.logits(view) for view in views], axis=0)
    return logits


def without(examined: Examined, left_out: NDArray[np.bool_]) -> Examined:
    """Return `examined` without the photos of the mask `left_out`."""
    kept = ~left_out
    return Examined(
        examined.features.at(kept),
        examined.labels[kept],
        examined.weights[kept],
        examined.folds[kept],
        examined.classes,
        examined.trust,
    )


def choose_strength(examined: Examined) -> float:
    """Return the strength with the lowest cross-entropy in cross-validation."""
    return compare_strengths(examined)[0]


def compare_strengths(examined: Examined) -> tuple[float, float]:
    """Return the best strength, and its cross-entropy on photos that a probe was not fitted on.

    Begins with the strongest regularisation and ends where two weaker ones in turn are no better.
    """
    small = _smaller(examined)
    losses: list[float] = []
    for strength in STRENGTHS:
        probabilities = softmax(predict_out_of_fold(small, strength))
        each = probabilities[np.arange(len(small.labels)), small.labels]
        logs = -np.log(np.maximum(each, np.finfo(np.float32).tiny))
        losses.append(float(np.average(logs, weights=small.weights)))
        if len(losses) > 2 and min(losses[-2:]) >= min(losses[:-2]):
            break
    return STRENGTHS[int(np.argmin(losses))], min(losses)


def _smaller(examined: Examined) -> Examined:
    """Return `examined`, or an even part of it if a comparison on all photos takes long."""
    work = examined.features.upright.size * 2 * examined.classes
    step = max(1, round(work / _MUCH_WORK))
    kept = np.arange(len(examined.labels)) % step == 0
    part = without(examined, ~kept)
    return part if len(np.unique(part.folds)) > 1 and step > 1 else examined


def install_probe(model: "keras.Model", probe: Probe) -> None:
    """Set the last layer of `model`, so that its logits are the probe's."""
    model.get_layer("logits").set_weights([probe.coefficients, probe.intercepts])


def read_features(model: "keras.Model", pixels: NDArray[np.uint8]) -> Features:
    """Return the features of uint8 `pixels` of shape `(n, h, w, 3)` and of their mirror images."""
    import keras
    import tensorflow as tf

    from seefood_training.fit import predict_logits

    features = keras.Model(model.input, model.get_layer("logits").input)

    def compute(images: Any) -> Any:
        return features(images, training=False)

    call = tf.function(compute, reduce_retracing=True)
    return Features(predict_logits(call, pixels), predict_logits(call, pixels[:, :, ::-1]))
