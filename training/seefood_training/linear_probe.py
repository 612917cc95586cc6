"""A linear probe: logistic regression on the features of a pretrained network.

With few photos, training the last layer alone is more reliable than fine-tuning all layers, which
distorts the pretrained features (A. Kumar et al., "Fine-Tuning can Distort Pretrained Features and
Underperform Out-of-Distribution", ICLR 2022, arXiv:2202.10054). Fine-tuning therefore starts from a
probe. A probe on several networks softens the labels: a photo that similar photos contradict may
have a wrong label.
"""

from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from seefood_training.fit import predict_logits
from seefood_training.fit_types import Floats

_ITERATIONS: Final = 300


@dataclass(frozen=True, slots=True)
class Features:
    """The output of a network's global average for each photo, original and mirrored."""

    upright: Floats
    """Of shape `(n, maps)`."""
    mirrored: Floats


@dataclass(frozen=True, slots=True)
class Probe:
    """A linear classifier of two classes on features."""

    coefficients: Floats
    """Of shape `(maps,)`; they give the logit of the first class."""
    intercept: float


def join_features(parts: list[Features]) -> Features:
    """Return the features of several networks, concatenated."""
    return Features(
        np.concatenate([part.upright for part in parts], axis=1),
        np.concatenate([part.mirrored for part in parts], axis=1),
    )


def fit_probe(
    features: Features, labels: NDArray[np.int64], weights: Floats, strength: float
) -> Probe:
    """Return the probe with the lowest weighted, regularised cross-entropy.

    `labels` are 0 or 1 and `weights` are the photos' weights. `strength` is scikit-learn's C on
    features of unit variance: a smaller value keeps the coefficients closer to zero.
    """
    both = np.concatenate([features.upright, features.mirrored])
    mean, deviation = both.mean(axis=0), both.std(axis=0) + 1e-8
    regression = LogisticRegression(C=strength, max_iter=_ITERATIONS)
    regression.fit(
        (both - mean) / deviation,
        np.tile(labels == 0, 2),
        sample_weight=np.tile(weights * (len(labels) / weights.sum()), 2),
    )
    coefficients = (regression.coef_[0] / deviation).astype(np.float32)
    intercept = float(regression.intercept_[0] - mean @ coefficients)
    return Probe(coefficients, intercept)


def predict_out_of_fold(
    features: Features,
    labels: NDArray[np.int64],
    weights: Floats,
    strength: float,
    folds: NDArray[np.int64],
) -> Floats:
    """Return each photo's probability of the first class, by a probe trained on the other folds.

    `folds` is of shape `(n,)`; copies of a photo must be in the same fold.
    """
    probabilities = np.zeros(len(labels), np.float32)
    for fold in np.unique(folds):
        inside = folds == fold
        others = Features(features.upright[~inside], features.mirrored[~inside])
        probe = fit_probe(others, labels[~inside], weights[~inside], strength)
        views = (features.upright[inside], features.mirrored[inside])
        logits = [view @ probe.coefficients + probe.intercept for view in views]
        probabilities[inside] = np.mean([1 / (1 + np.exp(-logit)) for logit in logits], axis=0)
    return probabilities


def install_probe(model: keras.Model, probe: Probe) -> None:
    """Set the last layer of `model`, of two classes, so that its softmax is the probe's output."""
    half = probe.coefficients / 2
    kernel = np.stack([half, -half], axis=1)
    bias = np.asarray([probe.intercept, -probe.intercept], np.float32) / 2
    model.get_layer("logits").set_weights([kernel, bias])


def read_features(model: keras.Model, pixels: NDArray[np.uint8]) -> Features:
    """Return the features of uint8 `pixels` of shape `(n, h, w, 3)` and of their mirror images."""
    features = keras.Model(model.input, model.get_layer("logits").input)

    def compute(images: Any) -> Any:
        return features(images, training=False)

    call = tf.function(compute, reduce_retracing=True)
    return Features(predict_logits(call, pixels), predict_logits(call, pixels[:, :, ::-1]))
