"""The last maps of a network, and those of the blocks before with their standard deviations.

With few photos a classifier finds more in the maps of the last blocks, and in how much each varies
over the picture, than in the averages of the last maps alone (U. Evci et al., "Head2Toe: Utilizing
Intermediate Representations for Better Transfer Learning", ICML 2022, arXiv:2201.03529). The
deviations of the last maps themselves add nothing to that.
"""

from collections.abc import Sequence
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

_NAME: Final = "moments"
_EPSILON: Final = 1e-4
"""Added to a variance: the gradient of the root of a map that does not vary stays finite."""
_USUAL: Final = 400
"""Maps of a group whose coefficients may grow as much as without groups."""


def moments(last: Any, blocks: Sequence[Any]) -> Any:
    """Return the maps `last`, and those of `blocks`, each followed by as many for its deviations.

    All are of shape `(n, rows, columns, maps)`, with the same rows and columns. The average of
    `(x - mean)^2 / deviation` is the deviation: a classifier on averages is still the average of
    its contributions at each position, so heat maps are exact.
    """
    parts = [last]
    for maps in blocks:
        mean = keras.ops.mean(maps, axis=(1, 2), keepdims=True)
        squares = keras.ops.square(maps - mean)
        variance = keras.ops.mean(squares, axis=(1, 2), keepdims=True)
        parts += [maps, squares * keras.ops.rsqrt(variance + _EPSILON)]
    return keras.layers.Concatenate(name=_NAME)(parts)


def group_trust(model: keras.Model) -> NDArray[np.float32]:
    """Return by how much more each coefficient of a model with `moments` may grow, `(maps,)`.

    So a block with few maps counts as much as the last maps.
    """
    sizes = [part.shape[-1] for part in model.get_layer(_NAME).input]
    trust = [np.full(size, np.sqrt(_USUAL / size), np.float32) for size in sizes]
    return np.concatenate(trust)


def last_maps(model: keras.Model) -> int:
    """Return how many of a model with `moments` are the last maps; they are the first."""
    return int(model.get_layer(_NAME).input[0].shape[-1])
