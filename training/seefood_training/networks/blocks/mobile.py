"""Parts of networks for small processors: MobileNets and EfficientNet-Lite."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from seefood_training.networks.blocks.moments import moments

Folded = tuple[NDArray[Any], NDArray[Any]]
"""A convolution's kernel, of the shape that its Keras layer has, and its bias."""


def depthwise(x: Any, name: str, stride: int, side: int = 3, padding: str = "same") -> Any:
    """Return `x` through a depthwise convolution with a `side` x `side` kernel."""
    # float32 also under mixed precision: TensorFlow's bfloat16 gradient of it is ten times slower.
    dtype = "float32" if stride > 1 else None
    return layers.DepthwiseConv2D(
        side, stride, padding, activation="relu6", name=name, dtype=dtype
    )(x)


def bottleneck(x: Any, name: str, expansion: int, out: int, spread: Callable[[Any], Any]) -> Any:
    """Return `x` through an inverted residual block (MobileNetV2, figure 3b).

    `spread` is the depthwise convolution between the expansion and the projection to `out` maps.
    """
    y = x
    if expansion != 1:
        wide = expansion * x.shape[-1]
        y = layers.Conv2D(wide, 1, activation="relu6", name=f"{name}_expand")(y)
    y = spread(y)
    y = layers.Conv2D(out, 1, name=f"{name}_project")(y)
    return layers.Add(name=f"{name}_add")([x, y]) if y.shape == x.shape else y


def classifier(
    pixels: Any, x: Any, classes: int, name: str, blocks: Sequence[Any] = ()
) -> keras.Model:
    """Return the model from `pixels` to logits: global average of `x`, dropout, dense layer.

    With `blocks`, maps of the same size as `x`, the average is of their moments too.
    """
    if blocks:
        x = moments(x, blocks)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    logits = layers.Dense(classes, name="logits", dtype="float32")(x)
    return keras.Model(pixels, logits, name=name)


def multiple_of_8(maps: float) -> int:
    """Return `maps` rounded to a multiple of 8, never down by more than a tenth."""
    rounded = max(8, int(maps + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * maps else rounded


def set_convolutions(model: keras.Model, folded: Callable[[str], Folded]) -> None:
    """Set every convolution of `model` to the kernel and bias that `folded` returns for its name.

    Raises `ValueError` for a kernel of another shape.
    """
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D):
            layer.set_weights(list(folded(layer.name)))


def batch_norm_factors(
    gamma: NDArray[Any],
    beta: NDArray[Any],
    mean: NDArray[Any],
    variance: NDArray[Any],
    *,
    epsilon: float,
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return scale and offset of a batch norm in inference mode: `x * scale + offset`."""
    scale = gamma / np.sqrt(variance + epsilon)
    return scale, beta - mean * scale
