"""What the hot dog model learns from: the photos, split, and drawings that no photo is part of."""

from dataclasses import dataclass
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seefood.imaging.decode import Pixels, ResizeRule, decode
from seefood.synthetic import KINDS, draw_picture
from seefood_training.data import DecodedPhotos, decode_photos, read_photo_set
from seefood_training.fit_types import Examples
from seefood_training.split import difference_hashes, find_groups, hold_out

LABELS: Final = ("hotdog", "not_hotdog")
_SOURCE: Final = ResizeRule(256, 256, "stretch", "bilinear", 2.0)
_VALIDATION_SHARE: Final = 0.12
_SPLIT_SEED: Final = 0
_RARE_SOURCE: Final = "kg_"
_RARE_WEIGHT: Final = 4.0
"""How much more often a hot dog of the source that has few of them is drawn."""
_DRAWN_SHARE: Final = 0.06
_DRAWN_SEEDS: Final = range(1000, 1016)
"""The demo and the golden pictures have seeds below 1000."""
_DRAWN_SIZES: Final = ((320, 240), (240, 320), (256, 256), (480, 320))


@dataclass(frozen=True, slots=True)
class Ingredients:
    """The photos, split, at the size that augmentation starts from."""

    training: Examples
    """The photos of `learned`, in its order, then the drawings."""
    learned: DecodedPhotos
    """Whole photos to learn from."""
    groups: NDArray[np.int64]
    """Which of `learned` are near copies of each other: those of one number."""
    held_out: DecodedPhotos
    """Whole photos to choose and calibrate with; decode them again at the size wanted."""


def prepare(data: str) -> Ingredients:
    """Return the training photos and drawings of `data`, and the photos that are held back."""
    photos = decode_photos(read_photo_set(data).train, _SOURCE)
    rare = np.asarray([photo.name.startswith(_RARE_SOURCE) for photo in photos.photos])
    hashes = np.stack([difference_hashes(image) for image in photos.pixels])
    groups = find_groups(photos.sha256, hashes)
    strata = 2 * photos.labels + rare
    held = hold_out(photos.sha256, strata.tolist(), groups, _VALIDATION_SHARE, _SPLIT_SEED)
    learned = photos.subset(np.flatnonzero(~held))
    drawings, drawn_labels = draw_examples()
    weights = _weights(learned.labels, rare[~held], drawn_labels)
    labels = np.concatenate([learned.labels, drawn_labels])
    targets = np.eye(len(LABELS), dtype=np.float32)[labels]
    pixels = np.concatenate([learned.pixels, drawings])
    held_out = photos.subset(np.flatnonzero(held))
    return Ingredients(Examples(pixels, targets, weights), learned, groups[~held], held_out)


def draw_examples() -> tuple[Pixels, NDArray[np.int64]]:
    """Return drawings of every kind, decoded as photos are, and their classes."""
    pixels, labels = [], []
    for kind in KINDS:
        for number, seed in enumerate(_DRAWN_SEEDS):
            stream = BytesIO()
            size = _DRAWN_SIZES[number % len(_DRAWN_SIZES)]
            draw_picture(kind, seed, size).save(stream, "JPEG", quality=88)
            pixels.append(decode(stream.getvalue(), _SOURCE).pixels)
            labels.append(0 if kind.startswith("hotdog") else 1)
    return np.stack(pixels), np.asarray(labels, np.int64)


def validation_examples(photos: DecodedPhotos, rule: ResizeRule) -> Examples:
    """Return `photos` decoded by `rule`, each class counting the same."""
    decoded = decode_photos(photos.photos, rule)
    labels = decoded.labels
    weights = (len(labels) / np.bincount(labels)[labels]).astype(np.float32)
    return Examples(decoded.pixels, np.eye(len(LABELS), dtype=np.float32)[labels], weights)


def _weights(
    labels: NDArray[np.int64], rare: NDArray[np.bool_], drawn: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return how often each photo and drawing is taken: classes alike, drawings a few percent."""
    photos = np.where(rare & (labels == 0), _RARE_WEIGHT, 1.0)
    for label in np.unique(labels):
        photos[labels == label] /= photos[labels == label].sum()
    drawings = np.ones(len(drawn))
    for label in np.unique(drawn):
        drawings[drawn == label] /= drawings[drawn == label].sum()
    parts = (photos * (1 - _DRAWN_SHARE), drawings * _DRAWN_SHARE)
    return np.concatenate(parts).astype(np.float32)
