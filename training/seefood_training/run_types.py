"""What a training run is asked for, what its stages read, and what it reports."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from seefood.bundle import Bundle
from seefood.imaging.resize_rule import Fit
from seefood_training.acceptance import WISH, Wish
from seefood_training.data import DecodedPhotos, PhotoSet
from seefood_training.fit_types import Fitted, Schedule
from seefood_training.networks import Weights
from seefood_training.partition import Partition
from seefood_training.quantisation import Quantisation

EPOCHS_FROM_RANDOM: Final = 40
FINE_TUNING: Final = Schedule(epochs=0)
"""From pretrained weights."""


@dataclass(frozen=True, slots=True)
class Request:
    """The options of a training run."""

    data: str
    output: Path
    network: str | None = None
    """None: the best network whose weights are installed."""
    weights: Weights = None
    image_size: int | None = None
    multiplier: float = 1.0
    fit: Fit = "stretch"
    quantisation: Quantisation = "float32"
    validation_share: float = 0.15
    schedule: Schedule = FINE_TUNING
    wish: Wish = WISH
    overwrite: bool = False
    restart: bool = False
    """Whether to begin again where a stopped run could be continued."""
    nested: bool = False
    """Whether each innermost folder of `data` is a class."""
    corrections: str | None = None
    """An output of `seefood classify` whose corrections are learned from, too."""
    variants: bool = False
    """Whether to add faster variants, measured on the photos held out."""
    reject_unknown: float | None = None
    """The share of pictures like the training photos that may be `unsure` because they resemble
    them least; None: no picture is for that reason."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a run, or of the stage `told` a sentence for the user: `note`."""

    stage: Literal["told", "reading", "preparing", "probing", "training", "exporting"]
    done: int
    total: int
    note: str = ""
    is_milestone: bool = False
    """Whether it is worth a line where no bar can be shown."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a training run."""

    bundle: Bundle
    runs: tuple[Fitted, ...]
    unreadable: tuple[str, ...]
    """Files that could not be decoded, each with the reason."""
    seconds: float


Observe = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the stages of a run read."""

    request: Request
    photo_set: PhotoSet
    photos: DecodedPhotos
    """Those to train on, a little larger than the network's input."""
    parts: Partition
    folder: Path


def default_schedule(request: Request) -> Schedule:
    """Return a schedule: short and slow from pretrained weights, otherwise longer."""
    if request.network is not None and request.weights is None:
        return Schedule(epochs=EPOCHS_FROM_RANDOM, learning_rate=1e-3, patience=8)
    return FINE_TUNING


def weights_name(weights: Weights) -> str:
    """Return the name of `weights` for messages and the bundle's record."""
    return weights.name if isinstance(weights, Path) else weights or "none"
