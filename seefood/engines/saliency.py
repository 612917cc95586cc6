"""Where a network looked, asked of an engine: what it says of each place, or what covering costs.

An engine whose bundle has score maps answers them with the probabilities, for nothing. Any other is
asked again with one place after another covered (Zeiler and Fergus 2014, section 4.2).
"""

from typing import Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from seefood.engines.base import Engine
from seefood.imaging.decode import Pixels

Values = NDArray[np.float32]
_GREY: Final = 128


@runtime_checkable
class ExplainingEngine(Protocol):
    """An engine that can tell each place's share of the scores."""

    def explain(self, images: Pixels) -> tuple[Values, Values | None]:
        """Return the probabilities, and maps of shape `(n, rows, columns, classes)` or None."""


def contrast(scores: Values, label: int) -> Values:
    """Return what each place says for `label` and against the others, shape `(rows, columns)`.

    `scores` are each place's shares of each class's score, `(rows, columns, classes)`.
    """
    others = np.delete(scores, label, axis=2).mean(axis=2)
    return np.asarray(scores[:, :, label] - others, dtype=np.float32)


def score_map(engine: Engine, pixels: Pixels, label: int) -> Values | None:
    """Return the contrast map of RGB `pixels`, `(height, width, 3)`; None if there is none."""
    if not isinstance(engine, ExplainingEngine):
        return None
    _, maps = engine.explain(pixels[np.newaxis])
    return None if maps is None else contrast(maps[0], label)


def occlusion_map(engine: Engine, pixels: Pixels, label: int, places: int = 12) -> Values:
    """Return how far the probability of `label` falls when a place is covered with grey.

    `pixels` is RGB uint8 of shape `(height, width, 3)`. The answer has shape `(places, places)`,
    in [-1, 1]; the cover is two places wide. Takes `places * places + 1` inferences.
    """
    height, width, _ = pixels.shape
    centres = [(np.arange(places) + 0.5) * side / places for side in (height, width)]
    covered = np.repeat(pixels[np.newaxis], places * places, axis=0)
    for at, (y, x) in enumerate((y, x) for y in centres[0] for x in centres[1]):
        rows = slice(max(0, int(y - height / places)), int(y + height / places) + 1)
        columns = slice(max(0, int(x - width / places)), int(x + width / places) + 1)
        covered[at, rows, columns] = _GREY
    clear = engine.predict(pixels[np.newaxis])[0, label]
    answers = engine.predict(covered)[:, label]
    return np.asarray((clear - answers).reshape(places, places), dtype=np.float32)
