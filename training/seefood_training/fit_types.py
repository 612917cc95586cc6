"""What a fit is told and what it tells: photos, schedule, epochs.

Values only; `seefood_training.fit` does the work.
"""

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


@dataclass(frozen=True, slots=True)
class Examples:
    """Photos to learn from, or to check with."""

    pixels: Pixels
    """Of shape `(n, height, width, 3)`; to learn from, a little larger than the network's input."""
    targets: Floats
    """Probabilities of the classes, of shape `(n, classes)`."""
    weights: Floats
    """How often a photo is drawn, relative to the others, or counts; of shape `(n,)`."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast to learn."""

    epochs: int = 12
    batch_size: int = 32
    learning_rate: float = 2e-4
    """At its peak; it rises for one epoch and falls along a cosine."""
    weight_decay: float = 0.02
    average: float = 0.998
    """Of the running average of the weights: how much of it each step keeps."""
    patience: int = 5
    """Epochs without a lower validation loss after which training stops."""
    seed: int = 0
    freeze_until: str | None = None
    """The last layer, from the pixels on, that stays as it was loaded."""
    fast: bool = False
    """Compute in bfloat16, where the processor does; the weights stay float32."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass, as the curves show it."""

    number: int
    training_loss: float
    validation_loss: float
    """Cross-entropy in nats, of the averaged weights."""
    validation_accuracy: float
    learning_rate: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Step:
    """How far a run is."""

    done: int
    total: int
    epoch: int
    loss: float
    """Of the last step."""
    last: Epoch | None


@dataclass(frozen=True, slots=True)
class Fitted:
    """A trained model and how it came about."""

    model: keras.Model
    """float32, from pixels in [0, 255] to logits."""
    epochs: tuple[Epoch, ...]
    best: int
    """The number of the epoch whose weights it has."""


@dataclass(frozen=True, slots=True)
class Task:
    """What to fit: all that decides the result."""

    network: NetworkChoice
    weights: Weights
    schedule: Schedule
    augmentation: Augmentation

    def fingerprint(self, training: Examples) -> str:
        """Return what a checkpoint must agree on before a run goes on from it."""
        content = hashlib.sha256(json.dumps(asdict(self), default=str, sort_keys=True).encode())
        for part in (
            training.targets,
            training.weights,
            training.pixels[:: max(1, len(training.pixels) // 16)],
        ):
            content.update(np.ascontiguousarray(part).tobytes())
        return content.hexdigest()
