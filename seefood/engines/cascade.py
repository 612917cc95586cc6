"""A cascade: a small network answers the easy pictures, a large one those that it is unsure of.

Viola and Jones (2001) put weak classifiers in front of strong ones for the same reason. Both are
bundles: the small one lies inside the large one's. What that changes was measured on labelled
photos when the cascade was made, and stands in the bundle's metrics.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seefood.imaging.decode import Pixels, ResizeRule, shrink

if TYPE_CHECKING:
    from seefood.engines.base import Engine

Values = NDArray[np.float32]


class CascadeEngine:
    """Two engines that are asked one after the other; thread-safe if they are."""

    batch_size = 8

    def __init__(
        self, first: "Engine", second: "Engine", rule: ResizeRule, at_least: float
    ) -> None:
        """`first` takes pictures of `rule`'s size; it decides where its best answer is `at_least`.

        Rows state the name of `second`, and the digest of the bundle that holds both.
        """
        self.name = second.name
        self._first = first
        self._second = second
        self._rule = rule
        self._at_least = at_least

    def predict(self, images: Pixels) -> Values:
        """See `seefood.engines.Engine.predict`."""
        answers = self._first.predict(np.stack([shrink(image, self._rule) for image in images]))
        hard = answers.max(axis=1) < self._at_least
        if hard.any():
            answers[hard] = self._second.predict(images[hard])
        return answers

    def explain(self, images: Pixels) -> tuple[Values, Values | None]:
        """Return what the large network says of every picture, and where it looked."""
        explain = getattr(self._second, "explain", None)
        if explain is None:
            return self._second.predict(images), None
        answers, maps = explain(images)
        return answers, maps
