"""Keras's MobileNetV2 as weights for torchvision's.

Both have the same layers in the same order. Convolutions differ in the order of their axes.
Imports neither library: the file is written in TensorFlow's process and read in PyTorch's.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np

_BLOCKS: Final = 17
"""Inverted residuals; the first one has no expansion."""
_LAYERS: Final = {"Conv2D", "DepthwiseConv2D", "BatchNormalization"}


def write_torch_weights(backbone: Any, head: Any, output: Path) -> None:
    """Write a Keras MobileNetV2 and its dense layer under the names of torchvision's.

    Raises `ValueError` if `backbone` has other layers than MobileNetV2.
    """
    layers = [each for each in backbone.layers if type(each).__name__ in _LAYERS]
    state: dict[str, Any] = {}
    for name, layer in zip(_names(), layers, strict=True):
        values = layer.get_weights()
        if type(layer).__name__ == "BatchNormalization":
            keys = ("weight", "bias", "running_mean", "running_var")
            state |= {f"{name}.{key}": value for key, value in zip(keys, values, strict=True)}
        else:
            (kernel,) = values
            depthwise = type(layer).__name__ == "DepthwiseConv2D"
            axes = (2, 3, 0, 1) if depthwise else (3, 2, 0, 1)
            state[f"{name}.weight"] = kernel.transpose(axes)
    kernel, bias = head.get_weights()
    state |= {"classifier.1.weight": kernel.T, "classifier.1.bias": bias}
    np.savez(output, **state)


def _names() -> list[str]:
    """Return torchvision's names of convolutions and norms, each convolution before its norm."""
    names = ["features.0.0", "features.0.1"]
    for block in range(1, _BLOCKS + 1):
        expansion = ["1.0", "1.1"] if block > 1 else []
        last = ["2", "3"] if block > 1 else ["1", "2"]
        names += [f"features.{block}.conv.{each}" for each in ("0.0", "0.1", *expansion, *last)]
    return [*names, f"features.{_BLOCKS + 1}.0", f"features.{_BLOCKS + 1}.1"]
