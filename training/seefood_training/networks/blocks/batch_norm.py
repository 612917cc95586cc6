"""How a backbone of keras.applications behaves while it is trained."""

from collections.abc import Iterator
from typing import Final

import keras

_MOMENTUM: Final = 0.9


def keep_inference_mode(backbone: keras.Model) -> None:
    """Let `backbone` compute in training exactly what it computes in inference.

    Its batch norms neither use nor update the statistics of a batch, and dropout drops nothing.
    `backbone(x, training=False)` would not do: in Keras 3 the `training` argument of the outer
    model overrides it. A batch norm that is not trainable is in inference mode always.
    """
    for layer in _flat(backbone):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
        elif isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0


def follow_short_runs(backbone: keras.Model) -> None:
    """Let the batch norms' statistics forget their initial values within some tens of steps.

    MobileNets keep 0.999 of them in each step. After a run of a few hundred steps the network would
    then be evaluated with statistics that are mostly the initial ones, and predict one class.
    """
    for layer in _flat(backbone):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = min(layer.momentum, _MOMENTUM)


def _flat(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Yield the layers of `model`, also those of layers in layers."""
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _flat(layer)
