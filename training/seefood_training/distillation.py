"""What pretrained networks make of the hot dog photos before anything is fine-tuned.

Each sees every photo; a linear probe on what one of them sees is where its fine-tuning starts, and
one on what all see softens the labels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seefood.imaging.decode import ResizeRule
from seefood_training.data import DecodedPhotos, decode_photos
from seefood_training.fit_types import Examples
from seefood_training.hotdog_data import LABELS, Ingredients
from seefood_training.linear_probe import (
    Features,
    Probe,
    fit_probe,
    join,
    predict_out_of_fold,
    read_features,
)
from seefood_training.networks import SIZES, NetworkChoice, build

Tell = Callable[[str], None]

SEEING: Final = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")
STRENGTH: Final = 1e-3
"""Of the probes; chosen by four-fold cross-validation of the training photos."""
SOFTENING: Final = 0.5
"""The probe's share in a target; the rest is the photo's label."""
_FOLDS: Final = 4


@dataclass(frozen=True, slots=True)
class DistillationTargets:
    """What the frozen networks make of the photos."""

    probes: dict[str, Probe]
    """By the network's name."""
    training: Examples
    """With softened labels."""


def prepare_lesson(ingredients: Ingredients, work: Path, tell: Tell) -> DistillationTargets:
    """Return a probe of each frozen network, and labels softened by one of all together."""
    seen = [_features(network, ingredients.learned, work, tell) for network in SEEING]
    training, labels = ingredients.training, ingredients.learned.labels
    weights = training.weights[: len(labels)]
    probes = {
        network: fit_probe(features, labels, weights, STRENGTH)
        for network, features in zip(SEEING, seen, strict=True)
    }
    folds = ingredients.groups % _FOLDS
    first = predict_out_of_fold(join(seen), labels, weights, STRENGTH, folds)
    targets = training.targets.copy()
    targets[: len(labels)] *= 1 - SOFTENING
    targets[: len(labels)] += SOFTENING * np.stack([first, 1 - first], axis=1)
    return DistillationTargets(probes, replace(training, targets=targets))


def stretched(side: int) -> ResizeRule:
    """Return the rule that every model here decodes by, at `side` pixels."""
    return ResizeRule(side, side, "stretch", "bilinear", 2.0)


def save_arrays(file: Path, arrays: Sequence[NDArray[Any]]) -> None:
    """Write `arrays` in order; the file is whole or not there."""
    partial = file.with_suffix(".partial.npz")
    np.savez(partial, *arrays)
    partial.replace(file)


def _features(network: str, photos: DecodedPhotos, work: Path, tell: Tell) -> Features:
    """Return what `network` sees in whole photos, or what it saw before."""
    file = work / f"features-{network}.npz"
    if not file.is_file():
        tell(f"{network}: looking at {len(photos.photos)} photos")
        rule = stretched(SIZES[network])
        model = build(
            NetworkChoice(network, rule.height, rule.width, len(LABELS)), "imagenet", fast=True
        )
        features = read_features(model, decode_photos(photos.photos, rule).pixels)
        save_arrays(file, (features.upright, features.mirrored))
    with np.load(file) as saved:
        return Features(*(saved[name] for name in saved.files))
