"""The features of photos that a linear probe, and later the last layer, reads.

A network may give the maps of the blocks before, and their deviations, beside its last maps
(`seefood_training.networks.blocks.moments`). Cross-validation says whether they tell more.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

from seefood.imaging.decode import Pixels
from seefood.imaging.resize_rule import ResizeRule
from seefood_training.augment import sample_maps, transform
from seefood_training.data import DecodedPhotos, decode_photos
from seefood_training.fit_types import Floats, Task
from seefood_training.frozen_features import extractor
from seefood_training.linear_probe import Examined, Features
from seefood_training.networks import build, network
from seefood_training.networks.blocks.moments import group_trust, last_maps
from seefood_training.probe_choice import ProbeChoice, choose_probe

_CHUNK: Final = 256
_FEW: Final = 300
"""Photos up to which the probe also sees random views: with 5 a class they added 1.5 points to its
accuracy, with 20 half a point, with 60 nothing (docs/training.md)."""
_DRAWS: Final = 2
"""Of random views, each with its mirror image."""


@dataclass(frozen=True, slots=True)
class Probing:
    """What the probe reads, and how it is regularised."""

    task: Task
    """With a network that gives these features."""
    model: keras.Model
    """That network, with its pretrained weights."""
    examined: Examined
    choice: ProbeChoice
    note: str = ""
    """A sentence for the user; empty for a network that gives its last maps alone."""


def examine(
    task: Task,
    rule: ResizeRule,
    photos: DecodedPhotos,
    folds: NDArray[np.int64],
    observe: Callable[[int], None],
) -> Probing:
    """Return the features of `photos` whose probe has the lowest cross-validated loss.

    `folds` is of shape `(n,)`. `observe` is called with the number of photos that are done.
    """
    can_read = network(task.network.name).can_read_blocks
    more = replace(task, network=replace(task.network, reads_blocks=can_read))
    model = build(more.network, task.weights)
    labels, classes = photos.labels, task.network.classes
    features = _features(model, more, photos, rule, observe)
    examined = Examined(features, labels, equal_classes(labels), folds, classes)
    if not can_read:
        return Probing(task, model, examined, choose_probe(examined))
    head = replace(examined, features=features.first(last_maps(model)))
    examined = replace(examined, trust=group_trust(model))
    choice, of_head = map(choose_probe, (examined, head))
    note = (
        f"loss of a linear probe in cross-validation: {of_head.loss:.3f} on the last maps alone, "
        f"{choice.loss:.3f} with those of the blocks before; the lower is taken"
    )
    if of_head.loss <= choice.loss:
        return Probing(task, build(task.network, task.weights), head, of_head, note)
    return Probing(more, model, examined, choice, note)


def _features(
    model: keras.Model,
    task: Task,
    photos: DecodedPhotos,
    rule: ResizeRule,
    observe: Callable[[int], None],
) -> Features:
    count = len(photos.photos)
    parts, extract = [], extractor(model, count)
    for start in range(0, count, _CHUNK):
        chunk = photos.photos[start : start + _CHUNK]
        parts.append(extract(decode_photos(chunk, rule).pixels).views)
        observe(start + len(chunk))
    views = [np.concatenate(parts, axis=1)]
    if count <= _FEW:
        views += [extract(pixels).views for pixels in _random_views(task, photos.pixels)]
    return Features(np.concatenate(views))


def _random_views(task: Task, pixels: Pixels) -> Iterator[Pixels]:
    """Yield `_DRAWS` random crops of every photo, at the size of the network's input."""
    side = (task.network.height, task.network.width)
    rng = np.random.default_rng(task.schedule.seed)
    for _ in range(_DRAWS):
        maps = sample_maps(rng, len(pixels), pixels.shape[1:3], side, task.augmentation)
        yield np.rint(transform(pixels, maps, side)).astype(np.uint8)


def equal_classes(labels: NDArray[np.int64]) -> Floats:
    """Return a weight for each photo, of shape `(n,)`: each class has the same total weight."""
    return np.asarray(len(labels) / np.bincount(labels)[labels], np.float32)
