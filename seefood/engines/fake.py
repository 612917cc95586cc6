"""The fake engine: probabilities from a picture's mean color, deterministic and without a model.

It ships so that tests and examples need no network: the first label's probability is the share of
red in the mean color, the second's the share of green, the third's of blue, then red again.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from seefood.bundle import Bundle
from seefood.imaging.decode import Pixels

if TYPE_CHECKING:
    from seefood.engines.base import Probabilities
    from seefood.vectors import Features


class FakeEngine:
    """An engine of `classes` classes that returns the shares of red, green and blue."""

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

    def predict(self, images: Pixels) -> "Probabilities":
        """See `Engine.predict`."""
        if self._before is not None:
            self._before(images)
        colors = (
            images.reshape(len(images), -1, images.shape[3]).mean(axis=1, dtype=np.float64) + 1.0
        )
        weights = np.resize(colors.T, (self._classes, len(images))).T
        return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)

    @property
    def has_features(self) -> bool:
        """See `FeatureEngine.has_features`."""
        return True

    def predict_with_features(self, images: Pixels) -> "tuple[Probabilities, Features]":
        """See `FeatureEngine.predict_with_features`; the features are the mean colors."""
        features = images.reshape(len(images), -1, images.shape[3]).mean(axis=1, dtype=np.float32)
        return self.predict(images), features


def load_fake_engine(bundle: Bundle, *, features: bool = False) -> FakeEngine:
    """Return the fake engine with as many classes as `bundle`; it always has features."""
    del features
    return FakeEngine(len(bundle.labels))
