"""The engine protocol: what every runtime offers to the classification code."""

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from seefood.imaging.decode import Pixels
from seefood.vectors import Features

Probabilities = NDArray[np.float32]
ScoreMaps = NDArray[np.float32]
"""Each location's share of each class's score, of shape `(n, rows, columns, classes)`."""


class Engine(Protocol):
    """A network that is loaded and ready to predict."""

    @property
    def name(self) -> str:
        """The engine's name in the registry; rows state it in their `engine` column."""

    @property
    def batch_size(self) -> int:
        """The number of pictures that one call handles best; any other number works too."""

    def predict(self, images: Pixels) -> Probabilities:
        """Return the probabilities, float32 of shape `(n, classes)`.

        Each row sums to 1, unless each label of the bundle has a probability of its own. `images`
        is RGB or grey of shape `(n, height, width, channels)`, uint8 in [0, 255]. Thread-safe.
        """


@runtime_checkable
class FeatureEngine(Protocol):
    """An engine that can be loaded with the bundle's features."""

    @property
    def has_features(self) -> bool:
        """Whether it was loaded with them."""

    def predict_with_features(self, images: Pixels) -> tuple[Probabilities, Features]:
        """Return what `Engine.predict` does and the features, from one pass through the network.

        The features are the input of the network's last matrix product.
        """
