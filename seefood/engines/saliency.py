"""Saliency maps: which parts of a picture raised the probability of a label.

An engine whose bundle has score maps returns them with the probabilities at no extra cost. For any
other, one location after another is covered (Zeiler and Fergus 2014, section 4.2).
"""

from typing import Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from seefood.engines.base import Engine, Probabilities, ScoreMaps
from seefood.imaging.decode import Pixels

Values = NDArray[np.float32]
_GREY: Final = 128


@runtime_checkable
class ExplainingEngine(Protocol):
    """An engine that can return each location's share of the scores."""

    def explain(self, images: Pixels) -> tuple[Probabilities, ScoreMaps | None]:
        """Return what `predict` does, and the score maps; None if the bundle has none.

        The maps are float32 of shape `(n, rows, columns, classes)`.
        """


def contrast(scores: Values, label: int) -> Values:
    """Return how far each location's score for `label` is above its mean for the other labels.

    `scores` has the shape `(rows, columns, classes)`, the result `(rows, columns)`.
    """
    others = np.delete(scores, label, axis=2).mean(axis=2)
    return np.asarray(scores[:, :, label] - others, dtype=np.float32)


def score_map(engine: Engine, pixels: Pixels, label: int) -> Values | None:
    """Return the contrast map of RGB `pixels`, `(height, width, 3)`; None if there is none."""
    if not isinstance(engine, ExplainingEngine):
        return None
    _, maps = engine.explain(pixels[np.newaxis])
    return None if maps is None else contrast(maps[0], label)


def occlusion_map(engine: Engine, pixels: Pixels, label: int, cells: int = 12) -> Values:
    """Return by how much the probability of `label` falls when a cell is covered with grey.

    `pixels` is RGB uint8 of shape `(height, width, 3)`. The result has shape `(cells, cells)`,
    in [-1, 1]; the cover is two cells wide. Takes `cells * cells + 1` inferences.
    """
    height, width, _ = pixels.shape
    centers = [(np.arange(cells) + 0.5) * side / cells for side in (height, width)]
    covered = np.repeat(pixels[np.newaxis], cells * cells, axis=0)
    for at, (y, x) in enumerate((y, x) for y in centers[0] for x in centers[1]):
        rows = slice(max(0, int(y - height / cells)), int(y + height / cells) + 1)
        columns = slice(max(0, int(x - width / cells)), int(x + width / cells) + 1)
        covered[at, rows, columns] = _GREY
    uncovered = engine.predict(pixels[np.newaxis])[0, label]
    probabilities = engine.predict(covered)[:, label]
    return np.asarray((uncovered - probabilities).reshape(cells, cells), dtype=np.float32)
