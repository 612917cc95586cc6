"""MobileNets without batch normalisation.

Version 2: M. Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018
(arXiv:1801.04381), section 4 and table 2. Version 1: A. G. Howard et al., "MobileNets: Efficient
Convolutional Neural Networks for Mobile Vision Applications" (arXiv:1704.04861), table 1.

Each convolution has a bias where the papers have a batch norm, into which a pretrained network's
frozen norms are folded when its weights are loaded. That is the same function of the pixels (within
rounding), trains a quarter faster on a processor, and its weights can be rounded once to float16
and stored so in every format, because no converter has anything left to fold.
"""

from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from keras import layers

# Table 2: expansion t, output maps c, repeats n, stride s.
_V2_STAGES: Final = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
# Table 1 of version 1: maps and stride of each depthwise separable convolution.
_V1_BLOCKS: Final = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1),) * 5,
    *((1024, 2), (1024, 1)),
)
_NORMS: Final = {"Conv1": "bn_Conv1", "Conv_1": "Conv_1_bn"}
LAST_GENERIC_LAYER: Final = {
    "folded_mobilenet_v2": "block_2_add",
    "folded_mobilenet_v1": "conv_pw_3",
}
"""Up to here a short fine-tune changes little and costs most of a step's time."""


def build_v2(
    shape: tuple[int, int, int], classes: int, width: float = 1.0, *, head: int = 1280
) -> keras.Model:
    """Return MobileNetV2 from pixels in [0, 255] of `shape` (height, width, 3) to logits.

    `head` is the number of maps of the last convolution; 0 leaves it out.
    """
    pixels, x = _stem(shape, _even(32 * width), "Conv1")
    maps, block = x.shape[-1], 0
    for expansion, channels, repeats, stride in _V2_STAGES:
        for repeat in range(repeats):
            out = _even(channels * width)
            name = f"block_{block}" if block else "expanded_conv"
            x = _bottleneck(x, name, expansion * maps, out, stride if repeat == 0 else 1)
            maps, block = out, block + 1
    if head:
        x = layers.Conv2D(_even(head * max(1.0, width)), 1, activation="relu6", name="Conv_1")(x)
    return _classified(pixels, x, classes, "folded_mobilenet_v2")


def build_v1(shape: tuple[int, int, int], classes: int, width: float = 1.0) -> keras.Model:
    """Return MobileNet from pixels in [0, 255] of `shape` (height, width, 3) to logits."""
    pixels, x = _stem(shape, int(32 * width), "conv1")
    for block, (channels, stride) in enumerate(_V1_BLOCKS, 1):
        x = _spread(x, f"conv_dw_{block}", stride)
        maps = int(channels * width)
        x = layers.Conv2D(maps, 1, activation="relu6", name=f"conv_pw_{block}")(x)
    return _classified(pixels, x, classes, "folded_mobilenet_v1")


def load_backbone(model: keras.Model, weights: Path, width: float = 1.0) -> None:
    """Set every convolution of `model` from `weights`: a keras network without top, norms folded.

    A head of another size than 1280 keeps its random start. Raises `ValueError` if `weights` is of
    another network.
    """
    applications = keras.applications
    make = applications.MobileNetV2 if model.name.endswith("v2") else applications.MobileNet
    source = make(alpha=width, include_top=False, weights=None, input_shape=(224, 224, 3))
    source.load_weights(weights)
    for layer in model.layers:
        if not isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D):
            continue
        kernel, bias = _folded(source, layer.name)
        if isinstance(layer, layers.DepthwiseConv2D):
            kernel = kernel.transpose(0, 1, 3, 2)
        if layer.get_weights()[0].shape == kernel.shape:
            layer.set_weights([kernel, bias])


def _folded(source: keras.Model, name: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the kernel and bias of a convolution of `source` with its norm folded in.

    Of shapes `(h, w, in, out)` and `(out,)`; a depthwise kernel is `(h, w, 1, maps)`.
    """
    suffix = "_BN" if source.name.startswith("mobilenetv2") else "_bn"
    norm = source.get_layer(_NORMS.get(name, f"{name}{suffix}"))
    gamma, beta, mean, variance = norm.get_weights()
    scale = gamma / np.sqrt(variance + norm.epsilon)
    layer = source.get_layer(name)
    kernel = layer.get_weights()[0]
    if isinstance(layer, layers.DepthwiseConv2D):
        kernel = kernel.transpose(0, 1, 3, 2)
    return kernel * scale, beta - mean * scale


def _bottleneck(x: Any, name: str, wide: int, out: int, stride: int) -> Any:
    """Return `x` through one inverted residual block (figure 3b)."""
    y = x
    if wide != x.shape[-1]:
        y = layers.Conv2D(wide, 1, activation="relu6", name=f"{name}_expand")(y)
    y = _spread(y, f"{name}_depthwise", stride)
    y = layers.Conv2D(out, 1, name=f"{name}_project")(y)
    return layers.Add(name=f"{name}_add")([x, y]) if y.shape == x.shape else y


def _spread(x: Any, name: str, stride: int) -> Any:
    """Return `x` through a depthwise convolution."""
    if stride == 1:
        return layers.DepthwiseConv2D(3, padding="same", activation="relu6", name=name)(x)
    # float32 also under mixed precision: TensorFlow's bfloat16 gradient of it is ten times slower.
    return _halving(
        layers.DepthwiseConv2D(3, 2, "valid", activation="relu6", name=name, dtype="float32"), x
    )


def _stem(shape: tuple[int, int, int], maps: int, name: str) -> tuple[Any, Any]:
    pixels = keras.Input(shape)
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(pixels)
    return pixels, _halving(layers.Conv2D(maps, 3, 2, "valid", activation="relu6", name=name), x)


def _classified(pixels: Any, x: Any, classes: int, name: str) -> keras.Model:
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    logits = layers.Dense(classes, name="logits", dtype="float32")(x)
    return keras.Model(pixels, logits, name=name)


def _halving(layer: layers.Layer, x: Any) -> Any:
    """Return `x` padded as keras.applications pads before a stride of 2, then through `layer`."""
    before = tuple(0 if side is not None and side % 2 == 0 else 1 for side in x.shape[1:3])
    padding = tuple((side, 1) for side in before)
    return layer(layers.ZeroPadding2D(padding, name=f"{layer.name}_pad")(x))


def _even(maps: float) -> int:
    """Return `maps` rounded to a multiple of 8, never down by more than a tenth."""
    rounded = max(8, int(maps + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * maps else rounded
