"""Class activation maps, computed from a trace, and their agreement with other maps.

In a network that ends in global average pooling and one fully connected layer, the weights that
turn pooled features into a class's score also turn the features of each position into that
position's share of the score (Zhou et al. 2016, "Learning Deep Features for Discriminative
Localization", section 2).
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from seefood.engines.saliency import contrast
from seefood.explain.layers import Layer, bias_of
from seefood.explain.trace import Trace, Values


@dataclass(frozen=True, slots=True)
class ActivationMap:
    """The share of each position in each class's score."""

    scores: Values
    """Shape `(height, width, classes)`; mean over positions plus `bias` is the class's score."""
    bias: Values
    """Shape `(classes,)`."""

    def contrast(self, label: int) -> Values:
        """Return how much each position favours `label` over the others, `(height, width)`."""
        return contrast(self.scores, label)


def class_activation_map(trace: Trace, layers: list[Layer]) -> ActivationMap | None:
    """Return the map; None unless the network ends in average pooling and one dense layer."""
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
    if features.ndim != 3 or len(weights) != len(trace.probabilities) or len(weights) < 2:
        return None  # pooled over a sequence, or one number for two labels
    if weights.shape[1] != features.shape[2]:
        return None  # something between joins or changes what was pooled
    scores = np.asarray(features @ weights.T, dtype=np.float32)
    return ActivationMap(scores, bias_of(mixing[0], trace))


def agreement(first: Values, second: Values) -> float:
    """Return the correlation of two maps, resized to one size, in [-1, 1]; 0 if one is constant."""
    side = 12
    one, two = (_resized(item, side).ravel() for item in (first, second))
    if float(one.std()) == 0.0 or float(two.std()) == 0.0:
        return 0.0
    return float(np.corrcoef(one, two)[0, 1])


def _resized(values: Values, side: int) -> Values:
    image = Image.fromarray(values).resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.float32)
