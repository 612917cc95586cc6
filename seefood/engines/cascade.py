"""A cascade: a small network classifies the easy pictures, a large one the others.

Viola and Jones (2001) put weak classifiers before strong ones for the same reason. Both networks
are bundles: the small one is inside the large one's. The change in accuracy was measured on
labelled photos when the cascade was made, and is recorded in the bundle's metrics.
"""

from typing import TYPE_CHECKING

import numpy as np

from seefood.imaging.decode import Pixels, ResizeRule, shrink

if TYPE_CHECKING:
    from seefood.engines.base import Engine, Probabilities, ScoreMaps


class CascadeEngine:
    """Two engines of which the second runs where the first is unsure; thread-safe if they are."""

    batch_size = 8

    def __init__(
        self, small: "Engine", large: "Engine", small_rule: ResizeRule, threshold: float
    ) -> None:
        """`small` decides where its highest probability is at least `threshold`.

        It takes pictures as `small_rule` resizes them. Rows state the name of `large`, and the
        digest of the bundle that holds both.
        """
        self.name = large.name
        self._small = small
        self._large = large
        self._small_rule = small_rule
        self._threshold = threshold

    def predict(self, images: Pixels) -> "Probabilities":
        """See `Engine.predict`."""
        shrunk = np.stack([shrink(image, self._small_rule) for image in images])
        probabilities = self._small.predict(shrunk)
        unsure = probabilities.max(axis=1) < self._threshold
        if unsure.any():
            probabilities[unsure] = self._large.predict(images[unsure])
        return probabilities

    def explain(self, images: Pixels) -> "tuple[Probabilities, ScoreMaps | None]":
        """Return the large network's probabilities and score maps, for every picture."""
        explain = getattr(self._large, "explain", None)
        if explain is None:
            return self._large.predict(images), None
        probabilities, maps = explain(images)
        return probabilities, maps
