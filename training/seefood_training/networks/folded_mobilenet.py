"""MobileNets without batch normalisation.

Version 2: M. Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018
(arXiv:1801.04381), section 4 and table 2. Version 1: A. G. Howard et al., "MobileNets: Efficient
Convolutional Neural Networks for Mobile Vision Applications" (arXiv:1704.04861), table 1.

Each convolution has a bias where the papers have a batch norm. Loading pretrained weights folds
their batch norms into the convolutions. The result is the same function of the pixels within
rounding; it trains a quarter faster on a CPU, and its weights can be rounded to float16 once and
stored so in every format, because no converter has anything left to fold.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from seefood.errors import UsageError
from seefood_training.networks.registry import NetworkChoice, NetworkSpec, Weights, register

if TYPE_CHECKING:
    import keras

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
_V2_HEAD: Final = 1280
_NORMS: Final = {"Conv1": "bn_Conv1", "Conv_1": "Conv_1_bn"}


def build_v2(choice: NetworkChoice, weights: Weights) -> "keras.Model":
    """Return MobileNetV2. A weights file is Keras's, without the classifier."""
    from keras import layers

    from seefood_training.networks.blocks import mobile

    _check(choice, weights)
    width = choice.multiplier
    pixels, x = _stem(choice, mobile.multiple_of_8(32 * width), "Conv1")
    block, ends = 0, []
    for expansion, channels, repeats, stride in _V2_STAGES:
        for repeat in range(repeats):
            name = f"block_{block}" if block else "expanded_conv"
            first = stride if repeat == 0 else 1

            def spread(y: Any, name: str = f"{name}_depthwise", stride: int = first) -> Any:
                return _depthwise(y, name, stride)

            x = mobile.bottleneck(
                x, name, expansion, mobile.multiple_of_8(channels * width), spread
            )
            block += 1
        ends.append(x)
    head = mobile.multiple_of_8(_V2_HEAD * max(1.0, width))
    x = layers.Conv2D(head, 1, activation="relu6", name="Conv_1")(x)
    last = ends[-2:] if choice.reads_blocks else ()
    model = mobile.classifier(pixels, x, choice.classes, choice.name, last)
    if isinstance(weights, Path):
        _load_backbone(model, "MobileNetV2", weights, width)
    return model


def build_v1(choice: NetworkChoice, weights: Weights) -> "keras.Model":
    """Return MobileNet. A weights file is Keras's, without the classifier."""
    from keras import layers

    from seefood_training.networks.blocks.mobile import classifier

    _check(choice, weights)
    width = choice.multiplier
    pixels, x = _stem(choice, int(32 * width), "conv1")
    last: list[Any] = []
    for block, (channels, stride) in enumerate(_V1_BLOCKS, 1):
        last = [x] if choice.reads_blocks else []
        x = _depthwise(x, f"conv_dw_{block}", stride)
        maps = int(channels * width)
        x = layers.Conv2D(maps, 1, activation="relu6", name=f"conv_pw_{block}")(x)
    model = classifier(pixels, x, choice.classes, choice.name, last)
    if isinstance(weights, Path):
        _load_backbone(model, "MobileNet", weights, width)
    return model


def _check(choice: NetworkChoice, weights: Weights) -> None:
    if weights == "imagenet":
        raise UsageError(
            f"{choice.name} takes a weights file; `--weights imagenet` is for "
            f"{choice.name.removeprefix('folded_')}"
        )


def _load_backbone(model: "keras.Model", application: str, weights: Path, width: float) -> None:
    """Set every convolution of `model` from `weights`, batch norms folded in.

    Raises `ValueError` if `weights` is of another network than `application`.
    """
    import keras

    from seefood_training.networks.blocks.mobile import (
        Folded,
        batch_norm_factors,
        set_convolutions,
    )

    source = getattr(keras.applications, application)(
        alpha=width, include_top=False, weights=None, input_shape=(224, 224, 3)
    )
    source.load_weights(weights)
    suffix = "_BN" if application == "MobileNetV2" else "_bn"

    def folded(name: str) -> Folded:
        norm = source.get_layer(_NORMS.get(name, f"{name}{suffix}"))
        scale, offset = batch_norm_factors(*norm.get_weights(), epsilon=norm.epsilon)
        layer = source.get_layer(name)
        kernel = layer.get_weights()[0]
        if isinstance(layer, keras.layers.DepthwiseConv2D):
            return kernel * scale[:, None], offset
        return kernel * scale, offset

    set_convolutions(model, folded)


def _stem(choice: NetworkChoice, maps: int, name: str) -> tuple[Any, Any]:
    """Return the input and its first convolution."""
    import keras
    from keras import layers

    pixels = keras.Input(choice.shape)
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(pixels)
    x = _padded(x, name)
    return pixels, layers.Conv2D(maps, 3, 2, "valid", activation="relu6", name=name)(x)


def _depthwise(x: Any, name: str, stride: int) -> Any:
    """Return `x` through a depthwise convolution."""
    from seefood_training.networks.blocks.mobile import depthwise

    if stride == 1:
        return depthwise(x, name, stride)
    return depthwise(_padded(x, name), name, stride, padding="valid")


def _padded(x: Any, name: str) -> Any:
    """Return `x` padded for the convolution `name` of stride 2, as keras.applications does."""
    from keras import layers

    before = tuple(0 if side is not None and side % 2 == 0 else 1 for side in x.shape[1:3])
    padding = tuple((side, 1) for side in before)
    return layers.ZeroPadding2D(padding, name=f"{name}_pad")(x)


register(
    NetworkSpec(
        "folded_mobilenet_v1", 224, build_v1, last_generic_layer="conv_pw_3", can_read_blocks=True
    ),
    NetworkSpec(
        "folded_mobilenet_v2", 224, build_v2, last_generic_layer="block_2_add", can_read_blocks=True
    ),
)
