"""Networks of keras.applications, with a new classifier on top.

With pretrained weights the backbone computes in training what it computes afterwards: its batch
norms keep their statistics, which come from a million pictures, and it drops nothing. Without
weights the statistics follow a short run quickly enough to be those of its photos.
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from seefood_training.networks.registry import NetworkChoice, NetworkSpec, Weights, register

if TYPE_CHECKING:
    import keras

Input = Literal["minus_one_to_one", "as_they_are", "caffe"]

_APPLICATIONS: Final[dict[str, tuple[str, Input]]] = {
    "mobilenet_v1": ("MobileNet", "minus_one_to_one"),
    "mobilenet_v2": ("MobileNetV2", "minus_one_to_one"),
    "mobilenet_v3_small": ("MobileNetV3Small", "as_they_are"),
    "mobilenet_v3_large": ("MobileNetV3Large", "as_they_are"),
    "efficientnet_v2_b0": ("EfficientNetV2B0", "as_they_are"),
    "efficientnet_v2_b3": ("EfficientNetV2B3", "as_they_are"),
    "efficientnet_v2_s": ("EfficientNetV2S", "as_they_are"),
    "convnext_tiny": ("ConvNeXtTiny", "as_they_are"),
    "convnext_small": ("ConvNeXtSmall", "as_they_are"),
    "resnet50": ("ResNet50", "caffe"),
    "resnet101": ("ResNet101", "caffe"),
    "resnet50_v2": ("ResNet50V2", "minus_one_to_one"),
}
"""Each network's function in keras.applications, and the pixels that its backbone takes."""
_BLOCKS: Final = {
    "MobileNet": ("conv_pw_12_relu",),
    "MobileNetV2": ("block_15_add", "block_16_project_BN"),
}
"""The layers whose maps a choice with `reads_blocks` adds to the last ones."""
_CAFFE_MEANS: Final = (103.939, 116.779, 123.68)  # blue, green, red


def build(
    choice: NetworkChoice, weights: Weights, *, application: str, pixels: Input
) -> "keras.Model":
    """Return the network that keras.applications calls `application`.

    Only MobileNets take a `choice.multiplier`; for the others it has no effect.
    """
    import keras
    from keras import layers

    from seefood_training.networks.blocks.batch_norm import (
        follow_short_runs,
        keep_inference_mode,
    )
    from seefood_training.networks.blocks.moments import moments

    options = {"alpha": choice.multiplier} if application.startswith("MobileNet") else {}
    backbone = getattr(keras.applications, application)(
        include_top=False,
        weights="imagenet" if weights == "imagenet" else None,
        input_shape=choice.shape,
        **options,
    )
    if isinstance(weights, Path):
        backbone.load_weights(weights)
    image = keras.Input(choice.shape)
    x = _backbone_input(image, pixels)
    if weights is not None:
        keep_inference_mode(backbone)
    else:
        follow_short_runs(backbone)
    if choice.reads_blocks:
        ends = [backbone.get_layer(each).output for each in _BLOCKS[application]]
        x, *ends = keras.Model(backbone.input, [backbone.output, *ends])(x)
        x = moments(x, ends)
    else:
        x = backbone(x)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    logits = layers.Dense(choice.classes, name="logits", dtype="float32")(x)
    return keras.Model(image, logits, name=backbone.name)


def _backbone_input(image: Any, pixels: Input) -> Any:
    """Return RGB in [0, 255] in the range and order of channels that the backbone takes."""
    from keras import layers

    if pixels == "minus_one_to_one":
        return layers.Rescaling(1 / 127.5, offset=-1.0)(image)
    if pixels == "caffe":
        blue_first = image[..., ::-1]
        return layers.Rescaling(1.0, offset=[-mean for mean in _CAFFE_MEANS])(blue_first)
    return image


register(
    *(
        NetworkSpec(
            name,
            224,
            partial(build, application=application, pixels=pixels),
            takes_multiplier=application.startswith("MobileNet"),
            can_read_blocks=application in _BLOCKS,
        )
        for name, (application, pixels) in _APPLICATIONS.items()
    )
)
