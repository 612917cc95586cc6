"""The modern networks that keras.applications has, with a new classifier on top.

With pretrained weights their batch norms stay in inference mode, also in training: their statistics
come from a million pictures, and a batch of ours would only disturb them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import keras
from keras import layers

Pixels = Literal["minus_one_to_one", "as_they_are", "caffe"]


@dataclass(frozen=True, slots=True)
class Application:
    """One network of keras.applications and what its backbone wants to be fed."""

    make: Callable[..., keras.Model]
    pixels: Pixels
    widths: bool = False
    """Whether it takes `alpha`."""
    options: tuple[tuple[str, Any], ...] = ()


def _application(make: str, pixels: Pixels, *, widths: bool = False, **options: Any) -> Application:
    return Application(getattr(keras.applications, make), pixels, widths, tuple(options.items()))


APPLICATIONS: Final = {
    "mobilenet_v1": _application("MobileNet", "minus_one_to_one", widths=True),
    "mobilenet_v2": _application("MobileNetV2", "minus_one_to_one", widths=True),
    "mobilenet_v3_small": _application("MobileNetV3Small", "as_they_are", widths=True),
    "mobilenet_v3_large": _application("MobileNetV3Large", "as_they_are", widths=True),
    "efficientnet_v2_b0": _application("EfficientNetV2B0", "as_they_are"),
    "efficientnet_v2_b3": _application("EfficientNetV2B3", "as_they_are"),
    "efficientnet_v2_s": _application("EfficientNetV2S", "as_they_are"),
    "convnext_tiny": _application("ConvNeXtTiny", "as_they_are"),
    "convnext_small": _application("ConvNeXtSmall", "as_they_are"),
    "resnet50": _application("ResNet50", "caffe"),
    "resnet101": _application("ResNet101", "caffe"),
    "resnet50_v2": _application("ResNet50V2", "minus_one_to_one"),
}
_CAFFE_MEANS: Final = (103.939, 116.779, 123.68)  # blue, green, red


def build(
    application: Application,
    shape: tuple[int, int, int],
    classes: int,
    width: float,
    weights: Path | Literal["imagenet"] | None,
) -> keras.Model:
    """Return the network from pixels in [0, 255] of `shape` (height, width, 3) to logits.

    Raises `ValueError` or `OSError` if `weights` is absent or of another network.
    """
    options = dict(application.options)
    if application.widths:
        options["alpha"] = width
    backbone = application.make(
        include_top=False,
        weights="imagenet" if weights == "imagenet" else None,
        input_shape=shape,
        **options,
    )
    if isinstance(weights, Path):
        backbone.load_weights(weights)
    pixels = keras.Input(shape)
    x = _fed(pixels, application.pixels)
    x = backbone(x, training=False) if weights is not None else backbone(x)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    logits = layers.Dense(classes, name="logits", dtype="float32")(x)
    return keras.Model(pixels, logits, name=backbone.name)


def _fed(pixels: Any, kind: Pixels) -> Any:
    """Return RGB in [0, 255] as the backbone was trained to see it."""
    if kind == "minus_one_to_one":
        return layers.Rescaling(1 / 127.5, offset=-1.0)(pixels)
    if kind == "caffe":
        blue_first = pixels[..., ::-1]
        return layers.Rescaling(1.0, offset=[-mean for mean in _CAFFE_MEANS])(blue_first)
    return pixels
