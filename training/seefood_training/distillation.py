"""Soft labels for the hot dog photos, from linear probes on frozen pretrained networks.

Each network computes features of every photo. A probe on one network's features is where its
fine-tuning starts; a probe on the features of all networks softens the labels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seefood.imaging.decode import ResizeRule
from seefood.storage.local import temporary_beside
from seefood_training.calibrate import softmax
from seefood_training.data import DecodedPhotos, decode_photos
from seefood_training.estimators import LOGISTIC
from seefood_training.fit_types import Examples
from seefood_training.hotdog_data import LABELS, HotdogData
from seefood_training.linear_probe import (
    Examined,
    Features,
    Probe,
    join_features,
    read_features,
)
from seefood_training.networks import NETWORKS, NetworkChoice, build
from seefood_training.probe_choice import predict_out_of_fold

Log = Callable[[str], None]

TEACHERS: Final = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")
PROBE_STRENGTH: Final = 1e-3
"""Chosen by four-fold cross-validation on the training photos."""
TEACHER_SHARE: Final = 0.5
"""The share of the probe's probability in a target; the rest is the photo's label."""
_FOLDS: Final = 4


@dataclass(frozen=True, slots=True)
class DistillationTargets:
    """Probes, and training examples with soft labels."""

    probes: dict[str, Probe]
    """By the network's name."""
    training: Examples


def distillation_targets(data: HotdogData, work: Path, log: Log) -> DistillationTargets:
    """Return a probe for each of `TEACHERS`, and labels softened by a probe on all of them.

    Features are kept in the folder `work` and read from there if they exist.
    """
    features = [_features(network, data.training_photos, work, log) for network in TEACHERS]
    training, labels = data.training, data.training_photos.labels
    weights = training.weights[: len(labels)]
    folds = data.groups % _FOLDS
    fit = LOGISTIC.at(PROBE_STRENGTH)
    probes = {
        network: fit(Examined(each, labels, weights, folds, len(LABELS)))
        for network, each in zip(TEACHERS, features, strict=True)
    }
    together = Examined(join_features(features), labels, weights, folds, len(LABELS))
    softened = softmax(predict_out_of_fold(together, fit))
    targets = training.targets.copy()
    targets[: len(labels)] *= 1 - TEACHER_SHARE
    targets[: len(labels)] += TEACHER_SHARE * softened.astype(np.float32)
    return DistillationTargets(probes, replace(training, targets=targets))


def square_rule(side: int) -> ResizeRule:
    """Return the rule that all hot dog models decode by, at `side` pixels."""
    return ResizeRule(side, side, "stretch", "bilinear", 2.0)


def save_arrays(file: Path, arrays: Sequence[NDArray[Any]]) -> None:
    """Write `arrays` in order. Atomic."""
    with temporary_beside(file) as temporary:
        with temporary.open("wb") as stream:
            np.savez(stream, *arrays)
        temporary.replace(file)


def load_arrays(file: Path) -> tuple[NDArray[Any], ...]:
    """Return the arrays that `save_arrays` wrote, in order."""
    with np.load(file) as saved:  # noqa: TID251 (refuses pickles by default)
        return tuple(saved[name] for name in saved.files)


def _features(network: str, photos: DecodedPhotos, work: Path, log: Log) -> Features:
    """Return the features of `photos`, computed once and kept in `work`."""
    file = work / f"features-{network}.npz"
    if not file.is_file():
        log(f"{network}: computing features of {len(photos.photos)} photos")
        rule = square_rule(NETWORKS[network].side)
        choice = NetworkChoice(network, rule.height, rule.width, len(LABELS))
        model = build(choice, "imagenet", fast=True)
        features = read_features(model, decode_photos(photos.photos, rule).pixels)
        save_arrays(file, list(features.views))
    return Features(np.stack(load_arrays(file)))
