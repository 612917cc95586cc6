"""Inputs and results of `seefood_training.fit.fit`: examples, schedule, epochs."""

import hashlib
import json
from dataclasses import asdict, dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from seefood.imaging.decode import Pixels
from seefood_training.augment import Augmentation
from seefood_training.networks import NetworkChoice, Weights

Floats = NDArray[np.float32]


class EnoughError(Exception):
    """An observer raises it to end training early, with the best weights so far."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Photos for training or validation."""

    pixels: Pixels
    """Of shape `(n, height, width, 3)`; for training a little larger than the network's input."""
    targets: Floats
    """Probabilities of the classes, of shape `(n, classes)`."""
    weights: Floats
    """Of shape `(n,)`: how often a photo is sampled in training, or counts in validation, relative
    to the others. One of weight 0 is not used."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Length and learning rate of a run."""

    epochs: int = 12
    """0: as many as the number of photos suggests (`seefood_training.run` decides)."""
    batch_size: int = 32
    learning_rate: float = 2e-4
    """The maximum: it rises during the first epoch, then falls along a cosine."""
    weight_decay: float = 0.02
    average: float = 0.998
    """Decay of the running average of the weights: the share that each step keeps."""
    patience: int = 5
    """Training stops after so many epochs without a lower validation loss."""
    seed: int = 0
    freeze_until: str | None = None
    """The last of the frozen layers, counted from the input."""
    fast: bool = False
    """Compute in bfloat16; the weights stay float32."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the training photos."""

    number: int
    training_loss: float
    validation_loss: float
    """Cross-entropy of the averaged weights, in nats, with the temperature that suits them best."""
    validation_accuracy: float
    """Of the averaged weights, with the photos' weights: the mean of the classes in a run."""
    learning_rate: float
    seconds: float
    classes_predicted: int = 0
    """How many classes were predicted for the validation photos."""

    def without_time(self) -> dict[str, float]:
        """Return the figures that are equal for equal runs, for what a digest is computed from."""
        return {name: value for name, value in asdict(self).items() if name != "seconds"}


@dataclass(frozen=True, slots=True)
class Step:
    """Progress of a run."""

    done: int
    total: int
    epoch: int
    loss: float
    """Of the last step."""
    last: Epoch | None
    note: str = ""
    """A sentence for the user; empty but for a run that begins again."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A trained model and its history."""

    model: keras.Model
    """float32, from pixels in [0, 255] to logits."""
    epochs: tuple[Epoch, ...]
    best: int
    """The number of the epoch that the weights are from."""


@dataclass(frozen=True, slots=True)
class Task:
    """Everything besides the photos that determines the result of a fit."""

    network: NetworkChoice
    weights: Weights
    schedule: Schedule
    augmentation: Augmentation

    def fingerprint(self, training: Examples) -> str:
        """Return a digest of this task and a sample of `training`.

        A run continues from a checkpoint only if both have the same fingerprint.
        """
        content = hashlib.sha256(json.dumps(asdict(self), default=str, sort_keys=True).encode())
        for part in (
            training.targets,
            training.weights,
            training.pixels[:: max(1, len(training.pixels) // 16)],
        ):
            content.update(np.ascontiguousarray(part).tobytes())
        return content.hexdigest()
