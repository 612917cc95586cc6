"""The fake engine: answers from a picture's mean colour, deterministic and without a model.

It ships so that tests and examples need no network: the first label's probability is the share of
red in the mean colour, the second's the share of green, and so on round the three channels.
"""

from collections.abc import Callable

import numpy as np

from seefood.imaging.decode import Pixels


class FakeEngine:
    """An engine of `classes` classes that answers the shares of red, green and blue."""

    name = "fake"

    def __init__(
        self,
        classes: int = 2,
        *,
        batch_size: int = 1,
        before: Callable[[Pixels], None] | None = None,
    ) -> None:
        """`before` is called with each batch first: it may wait, count, or raise."""
        self._classes = classes
        self._before = before
        self.batch_size = batch_size

    def predict(self, images: Pixels) -> "np.typing.NDArray[np.float32]":
        """See `seefood.engines.Engine.predict`."""
        if self._before is not None:
            self._before(images)
        colours = images.reshape(len(images), -1, 3).mean(axis=1, dtype=np.float64) + 1.0
        weights = np.resize(colours.T, (self._classes, len(images))).T
        return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)
