"""The training data of the hot dog models: photos, split, and optional drawings."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seefood.errors import UsageError
from seefood.imaging.decode import ResizeRule
from seefood_training.data import DecodedPhotos, decode_photos, read_photo_set
from seefood_training.fit_types import Examples
from seefood_training.split import difference_hashes, find_groups, hold_out

LABELS: Final = ("hotdog", "not_hotdog")
_SOURCE_RULE: Final = ResizeRule(256, 256, "stretch", "bilinear", 2.0)
"""The size that augmentation starts from."""
_VALIDATION_SHARE: Final = 0.12
_SPLIT_SEED: Final = 0
_RARE_SOURCE: Final = "kg_"
_RARE_WEIGHT: Final = 4.0
"""How much more often than others a hot dog of the source with few hot dogs is sampled."""
_DRAWN_SHARE: Final = 0.06
"""How much of each epoch is drawings, if there are any."""


@dataclass(frozen=True, slots=True)
class HotdogData:
    """The photos, split, at the size that augmentation starts from."""

    training: Examples
    """The photos of `training_photos` in its order, then the drawings."""
    training_photos: DecodedPhotos
    groups: NDArray[np.int64]
    """The group of near copies of each of `training_photos`, of shape `(n,)`."""
    validation_photos: DecodedPhotos
    """For choosing and calibrating; decode them again at the size that is needed."""


def load_hotdog_data(data: str, drawings: str | None = None) -> HotdogData:
    """Return the training and validation photos of `data`, and the drawings as training pictures.

    `drawings` is a folder like `data`, with one folder of images per class. Raises `UsageError` if
    either does not have the two classes of `LABELS`.
    """
    photos = _decoded(data)
    rare = np.asarray([photo.name.startswith(_RARE_SOURCE) for photo in photos.photos])
    hashes = np.stack([difference_hashes(image) for image in photos.pixels])
    groups = find_groups(photos.sha256, hashes)
    strata = 2 * photos.labels + rare
    validation = hold_out(photos.sha256, strata.tolist(), groups, _VALIDATION_SHARE, _SPLIT_SEED)
    training = photos.subset(np.flatnonzero(~validation))
    pixels, labels = training.pixels, training.labels
    weights = _photo_weights(labels, rare[~validation])
    if drawings is not None:
        drawn = _decoded(drawings)
        drawn_weights = _equal_classes(np.ones(len(drawn.photos)), drawn.labels)
        pixels = np.concatenate([pixels, drawn.pixels])
        labels = np.concatenate([labels, drawn.labels])
        weights = np.concatenate([weights * (1 - _DRAWN_SHARE), drawn_weights * _DRAWN_SHARE])
    targets = np.eye(len(LABELS), dtype=np.float32)[labels]
    return HotdogData(
        Examples(pixels, targets, weights.astype(np.float32)),
        training,
        groups[~validation],
        photos.subset(np.flatnonzero(validation)),
    )


def validation_examples(photos: DecodedPhotos, rule: ResizeRule) -> Examples:
    """Return `photos` decoded by `rule`, with the same total weight for each class."""
    decoded = decode_photos(photos.photos, rule)
    labels = decoded.labels
    weights = (len(labels) / np.bincount(labels)[labels]).astype(np.float32)
    return Examples(decoded.pixels, np.eye(len(LABELS), dtype=np.float32)[labels], weights)


def _decoded(data: str) -> DecodedPhotos:
    photo_set = read_photo_set(data)
    if photo_set.labels != LABELS:
        raise UsageError(
            f"{data} has the classes {', '.join(photo_set.labels)}; the recipe needs the folders "
            f"{' and '.join(LABELS)}"
        )
    return decode_photos(photo_set.train, _SOURCE_RULE)


def _photo_weights(labels: NDArray[np.int64], rare: NDArray[np.bool_]) -> NDArray[np.float64]:
    return _equal_classes(np.where(rare & (labels == 0), _RARE_WEIGHT, 1.0), labels)


def _equal_classes(weights: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return `weights` scaled so that those of each class add up to 1."""
    return weights / np.bincount(labels, weights)[labels]
