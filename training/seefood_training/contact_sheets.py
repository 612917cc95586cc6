"""Images that document a training run: sample photos, augmented views, loss curves.

They contain photos of the data set, so they are written beside the bundle and never into it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from seefood.imaging.decode import Pixels
from seefood_training.augment import Augmentation, recolour, sample_maps, transform
from seefood_training.data import DecodedPhotos
from seefood_training.fit_types import Epoch

_TILE: Final = 144
_CAPTION: Final = 16
_COLUMNS: Final = 8
_INK: Final = (20, 20, 20)


def sample_contact_sheet(
    photos: DecodedPhotos, labels: Sequence[str], seed: int = 0
) -> Image.Image:
    """Return eight photos of each class, with captions; deterministic."""
    rng = np.random.default_rng(seed)
    tiles, captions = [], []
    for index, label in enumerate(labels):
        members = np.flatnonzero(photos.labels == index)
        for chosen in rng.permutation(members)[:_COLUMNS]:
            tiles.append(np.asarray(photos.pixels[chosen]))
            captions.append(f"{label}: {photos.photos[chosen].name}")
    return contact_sheet(tiles, captions)


def augmentation_contact_sheet(
    pixels: Pixels, size: tuple[int, int], augmentation: Augmentation, seed: int = 0
) -> Image.Image:
    """Return a row for each of `pixels`: the photo, then seven augmented views of it.

    `size` is the network's (height, width).
    """
    import tensorflow as tf

    rng = np.random.default_rng(seed)
    tiles, captions = [], []
    for row, photo in enumerate(pixels):
        maps = sample_maps(rng, _COLUMNS - 1, photo.shape[:2], size, augmentation)
        copies = np.repeat(photo[np.newaxis], _COLUMNS - 1, axis=0)
        views = recolour(transform(copies, maps, size), tf.constant([seed, row]), augmentation)
        tiles += [photo, *np.asarray(views).astype(np.uint8)]
        captions += ["the photo", *(f"view {number}" for number in range(1, _COLUMNS))]
    return contact_sheet(tiles, captions)


def contact_sheet(tiles: Sequence[Pixels], captions: Sequence[str]) -> Image.Image:
    """Return `tiles` in rows of eight, each with its caption below."""
    rows = -(-len(tiles) // _COLUMNS)
    image = Image.new("RGB", (_COLUMNS * _TILE, max(1, rows) * (_TILE + _CAPTION)), "white")
    pen = ImageDraw.Draw(image)
    for index, (tile, caption) in enumerate(zip(tiles, captions, strict=True)):
        left, top = index % _COLUMNS * _TILE, index // _COLUMNS * (_TILE + _CAPTION)
        image.paste(Image.fromarray(tile).resize((_TILE - 2, _TILE - 2)), (left + 1, top + 1))
        pen.text((left + 2, top + _TILE + 1), caption[: _TILE // 6], fill=_INK)
    return image


def draw_curves(epochs: Sequence[Epoch], best: int, file: Path) -> None:
    """Write a PNG with loss and accuracy over the epochs; a dotted line marks the kept epoch."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    losses, accuracies = figure.subplots(1, 2)
    numbers = [epoch.number for epoch in epochs]
    losses.plot(numbers, [epoch.training_loss for epoch in epochs], "o-", label="training views")
    losses.plot(numbers, [epoch.validation_loss for epoch in epochs], "o-", label="validation")
    losses.set_ylabel("cross-entropy, nats")
    losses.legend()
    accuracies.plot(numbers, [epoch.validation_accuracy for epoch in epochs], "o-", color="C1")
    accuracies.set_ylabel("validation accuracy, mean of the classes")
    for axes in (losses, accuracies):
        axes.set_xlabel("epoch")
        axes.axvline(best, color="grey", linestyle=":", linewidth=1)
        axes.grid(alpha=0.3)
    figure.savefig(file, dpi=110)
