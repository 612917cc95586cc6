"""A linear probe: logistic regression on what a pretrained network sees, before any fine-tuning.

Few photos teach a frozen network's last layer more reliably than all of its layers: fine-tuning
distorts what the pretrained maps know of everything else (A. Kumar et al., "Fine-Tuning can Distort
Pretrained Features and Underperform Out-of-Distribution", ICLR 2022, arXiv:2202.10054). So a probe
is where fine-tuning starts, and one on several networks at once softens the labels: a photo that
none of its like speaks for was perhaps labelled wrongly.
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
    """What a network's global average holds for each photo, as it is and mirrored."""

    upright: Floats
    """Of shape `(n, maps)`."""
    mirrored: Floats


@dataclass(frozen=True, slots=True)
class Probe:
    """A linear classifier of two classes on features."""

    coefficients: Floats
    """Of shape `(maps,)`: what each adds to the logit of the first class."""
    intercept: float


def join(parts: list[Features]) -> Features:
    """Return the features of several networks side by side."""
    return Features(
        np.concatenate([part.upright for part in parts], axis=1),
        np.concatenate([part.mirrored for part in parts], axis=1),
    )


def fit_probe(
    features: Features, labels: NDArray[np.int64], weights: Floats, strength: float
) -> Probe:
    """Return the probe of least weighted cross-entropy.

    `labels` are 0 or 1, `weights` says how much each photo counts, and `strength` is scikit-learn's
    C: the smaller, the closer to zero the coefficients, of features of unit variance, stay.
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
    """Return each photo's probability of the first class, by a probe that did not see its fold.

    `folds` holds each photo's, of shape `(n,)`; copies of a photo belong into one.
    """
    answers = np.zeros(len(labels), np.float32)
    for fold in np.unique(folds):
        inside = folds == fold
        seen = Features(features.upright[~inside], features.mirrored[~inside])
        probe = fit_probe(seen, labels[~inside], weights[~inside], strength)
        views = (features.upright[inside], features.mirrored[inside])
        logits = [view @ probe.coefficients + probe.intercept for view in views]
        answers[inside] = np.mean([1 / (1 + np.exp(-logit)) for logit in logits], axis=0)
    return answers


def install(model: keras.Model, probe: Probe) -> None:
    """Make `probe` the last layer of `model`, of two classes; its softmax is the probe's answer."""
    half = probe.coefficients / 2
    kernel = np.stack([half, -half], axis=1)
    bias = np.asarray([probe.intercept, -probe.intercept], np.float32) / 2
    model.get_layer("logits").set_weights([kernel, bias])


def read_features(model: keras.Model, pixels: NDArray[np.uint8]) -> Features:
    """Return what `model` sees in uint8 `pixels` of shape `(n, h, w, 3)` and in their mirrors."""
    features = keras.Model(model.input, model.get_layer("logits").input)

    def see(images: Any) -> Any:
        return features(images, training=False)

    call = tf.function(see, reduce_retracing=True)
    return Features(predict_logits(call, pixels), predict_logits(call, pixels[:, :, ::-1]))
