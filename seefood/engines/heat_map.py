"""Computes a heat map on request: which parts of a picture decided its label.

A bundle with score maps returns the scores of each place together with the probabilities, at no
extra cost. Without them one part of the picture after the other is covered and the picture is
classified again, `GRID * GRID` times.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from seefood.engines.base import Engine
from seefood.engines.saliency import occlusion_map, score_map
from seefood.imaging.decode import DecodedImage, ResizeRule

GRID: Final = 7
_DIGITS: Final = 4

Kind = Literal["score", "occlusion"]


@dataclass(frozen=True, slots=True)
class HeatMap:
    """How much each part of a picture contributed to its label."""

    kind: Kind
    """`score`: the place's share of the label's score against the others', any unit. `occlusion`:
    by how much the label's probability fell when the place was covered, in [-1, 1]."""
    cells: tuple[tuple[float, ...], ...]
    """Rows from the top, cells from the left; negative where a place contributed against it."""
    box: tuple[float, float, float, float]
    """Left, top, width and height of the grid on the upright picture, as fractions of its width and
    height. Outside of [0, 1] where the network sees borders, inside where it sees a crop."""

    def as_json(self) -> dict[str, Any]:
        """Return the map as a JSON object."""
        return {"kind": self.kind, "grid": [list(row) for row in self.cells], "box": list(self.box)}


def heat_map(image: DecodedImage, label: int, engine: Engine, rule: ResizeRule) -> HeatMap:
    """Return which parts of `image` contributed to the label with this index."""
    scores = score_map(engine, image.pixels, label)
    kind: Kind = "occlusion" if scores is None else "score"
    values = occlusion_map(engine, image.pixels, label, GRID) if scores is None else scores
    rounded = np.round(values.astype(np.float64), _DIGITS)
    return HeatMap(
        kind,
        tuple(tuple(float(cell) for cell in row) for row in rounded),
        seen_box(image.width, image.height, rule),
    )


def seen_box(width: int, height: int, rule: ResizeRule) -> tuple[float, float, float, float]:
    """Return the part of an upright picture of this size that the network sees, in fractions."""
    if rule.fit == "stretch":
        return 0.0, 0.0, 1.0, 1.0
    x, y = rule.width / width, rule.height / height
    scale = max(x, y) if rule.fit == "crop" else min(x, y)
    seen = (x / scale, y / scale)
    return ((1.0 - seen[0]) / 2, (1.0 - seen[1]) / 2, seen[0], seen[1])
