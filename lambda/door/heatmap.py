"""Where the network looked: cover one part of the picture after the other and ask again.

What is measured is how far the answer's probability falls when a square is covered with the
picture's mean colour. It works for any bundle, because it asks nothing of the network but answers,
and costs `GRID * GRID` of them.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from seefood.engines import Engine
from seefood.image import DecodedImage, Pixels, ResizeRule

GRID: Final = 7
# A cover reaches this many cells to each side of its own cell: smaller covers hide too little of an
# object to be missed, and overlapping ones make neighbouring cells agree.
_REACH: Final = 0.5
_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class HeatMap:
    """How much each part of a picture counted for its answer."""

    drops: tuple[tuple[float, ...], ...]
    """`GRID` rows from the top, each of `GRID` cells from the left: by how much the probability
    fell, in [-1, 1]. Negative where covering the cell made the network surer."""
    box: tuple[float, float, float, float]
    """Left, top, width and height of the grid on the upright picture, as shares of its width and
    height. Outside of [0, 1] where the network sees borders, inside where it sees a crop."""

    def as_json(self) -> dict[str, Any]:
        """Return the map as a JSON object."""
        return {"grid": [list(row) for row in self.drops], "box": list(self.box)}


def occlusion_map(image: DecodedImage, label: int, engine: Engine, rule: ResizeRule) -> HeatMap:
    """Return where `engine` looked to give `image` the probability of `label`."""
    pixels = image.pixels
    whole = float(engine.predict(pixels[np.newaxis])[0, label])
    answers = engine.predict(covered(pixels))[:, label].astype(np.float64)
    drops = np.round(whole - answers.reshape(GRID, GRID), _DIGITS)
    return HeatMap(
        tuple(tuple(float(cell) for cell in row) for row in drops),
        seen_box(image.width, image.height, rule),
    )


def covered(pixels: Pixels) -> Pixels:
    """Return `GRID * GRID` copies of `pixels`, each with one square covered, row by row.

    `pixels` is RGB of shape `(height, width, 3)`, uint8; the result `(GRID * GRID, …)`.
    """
    height, width, _ = pixels.shape
    copies = np.repeat(pixels[np.newaxis], GRID * GRID, axis=0)
    colour = pixels.mean(axis=(0, 1)).astype(np.uint8)
    for index, copy in enumerate(copies):
        row, column = divmod(index, GRID)
        top, bottom = _span(row, height)
        left, right = _span(column, width)
        copy[top:bottom, left:right] = colour
    return copies


def seen_box(width: int, height: int, rule: ResizeRule) -> tuple[float, float, float, float]:
    """Return which part of an upright picture of this size the network sees, as shares of it."""
    if rule.fit == "stretch":
        return 0.0, 0.0, 1.0, 1.0
    x, y = rule.width / width, rule.height / height
    scale = max(x, y) if rule.fit == "crop" else min(x, y)
    seen = (x / scale, y / scale)
    return ((1.0 - seen[0]) / 2, (1.0 - seen[1]) / 2, seen[0], seen[1])


def _span(cell: int, size: int) -> tuple[int, int]:
    """Return from where to where the cover of `cell` reaches on a side of `size` pixels."""
    step = size / GRID
    return max(0, round((cell - _REACH) * step)), min(size, round((cell + 1 + _REACH) * step))
