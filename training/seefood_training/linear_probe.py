"""A linear probe: a linear classifier on the features of a pretrained network.

With few photos, training the last layer alone is more reliable than fine-tuning all layers, which
distorts the pretrained features (A. Kumar et al., "Fine-Tuning can Distort Pretrained Features and
Underperform Out-of-Distribution", ICLR 2022, arXiv:2202.10054). Fine-tuning therefore starts from a
probe. A probe on several networks softens the labels: a photo that similar photos contradict may
have a wrong label.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Features:
    """The output of a network's global average for each photo."""

    views: Floats
    """Of shape `(views, n, maps)`: the photos as they are, then their mirror images and random
    views, as far as there are any. A probe is fitted to all views."""

    @property
    def upright(self) -> Floats:
        """Those of the photos as they are, of shape `(n, maps)`."""
        return np.asarray(self.views[0])

    def first(self, maps: int) -> "Features":
        """Return the first `maps` of them for every photo."""
        return Features(self.views[:, :, :maps])

    def at(self, chosen: NDArray[Any]) -> "Features":
        """Return the features of the `chosen` photos: their indices, or a mask."""
        return Features(self.views[:, chosen])


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

    def at(self, temperature: float) -> "Probe":
        """Return the probe whose logits are divided by `temperature`."""
        return Probe(
            np.asarray(self.coefficients / temperature, np.float32),
            np.asarray(self.intercepts / temperature, np.float32),
        )


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

    def at(self, chosen: NDArray[np.bool_]) -> "Examined":
        """Return the photos of the mask `chosen`."""
        return Examined(
            self.features.at(chosen),
            self.labels[chosen],
            self.weights[chosen],
            self.folds[chosen],
            self.classes,
            self.trust,
        )


def join_features(parts: list[Features]) -> Features:
    """Return the features of several networks, concatenated."""
    return Features(np.concatenate([part.views for part in parts], axis=2))


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
    both = (pixels, pixels[:, :, ::-1])
    return Features(np.stack([predict_logits(call, each) for each in both]))
