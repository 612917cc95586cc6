"""Class activation maps, read off a trace, and how well another map agrees with them.

A network that ends in global average pooling and one fully connected layer gives its map for a
matrix product: the weights that turn pooled features into a class's score turn each place's
features into that place's share of it (Zhou et al. 2016, "Learning Deep Features for Discriminative
Localization", section 2).
"""

from dataclasses import dataclass

import numpy as np

from seefood.engines.saliency import contrast
from seefood.explain.layers import Layer
from seefood.explain.trace import Trace, Values


@dataclass(frozen=True, slots=True)
class ActivationMap:
    """Each place's share of each class's score."""

    scores: Values
    """Shape `(height, width, classes)`; the mean over places, plus `bias`, is the class's score."""
    bias: Values
    """Shape `(classes,)`."""

    def contrast(self, label: int) -> Values:
        """Return what each place says for `label` and against the others, `(height, width)`."""
        return contrast(self.scores, label)


def class_activation_map(trace: Trace, layers: list[Layer]) -> ActivationMap | None:
    """Return the map; None for a network that does not end in average pooling and one layer."""
    pools = [at for at, layer in enumerate(layers) if layer.kind == "global_pool"]
    if not pools:
        return None
    after = layers[pools[-1] + 1 :]
    mixing = [layer for layer in after if layer.kind in {"dense", "convolution", "depthwise"}]
    if len(mixing) != 1 or mixing[0].kind != "dense" or mixing[0].operation.activation:
        return None
    dense = mixing[0].operation
    features = trace.tensors[layers[pools[-1]].operation.inputs[0]][0]
    weights = trace.tensors[dense.inputs[1]]
    has_bias = len(dense.inputs) > 2 and dense.inputs[2] >= 0
    bias = trace.tensors[dense.inputs[2]] if has_bias else np.zeros(len(weights), np.float32)
    return ActivationMap(np.asarray(features @ weights.T, dtype=np.float32), bias)


def agreement(first: Values, second: Values) -> float:
    """Return the correlation of two maps in [-1, 1], after bringing both to one size; 0 if flat."""
    side = 12
    one, two = (_resized(item, side).ravel() for item in (first, second))
    if float(one.std()) == 0.0 or float(two.std()) == 0.0:
        return 0.0
    return float(np.corrcoef(one, two)[0, 1])


def _resized(values: Values, side: int) -> Values:
    from PIL import Image  # noqa: PLC0415 (one use)

    image = Image.fromarray(values).resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.float32)
