"""The engine protocol: the seam between the algorithm and a runtime."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seefood.imaging.decode import Pixels

Probabilities = NDArray[np.float32]


class Engine(Protocol):
    """A network ready to answer."""

    @property
    def name(self) -> str:
        """What rows state in their `engine` column."""

    @property
    def batch_size(self) -> int:
        """How many pictures one call handles best; any other number works too."""

    def predict(self, images: Pixels) -> Probabilities:
        """Return the probabilities, float32 of shape `(n, classes)`, each row summing to 1.

        `images` is RGB of shape `(n, height, width, 3)`, uint8 in [0, 255]. Several threads may
        call at once.
        """
