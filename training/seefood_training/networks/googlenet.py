"""GoogLeNet, layer by layer.

C. Szegedy et al.: "Going Deeper with Convolutions", CVPR 2015 (arXiv:1409.4842), section 5, table 1
and figure 3.

As in the paper: nine inception modules with their 5 x 5 branches, biases and no batch
normalisation, local response normalisation around the first convolutions, dropout of 40 % before
the classifier, and in training two auxiliary classifiers on the modules 4a and 4d. 6,998,552
parameters at 224 x 224 x 3 and 1,000 classes, and 6,379,728 in the auxiliary classifiers.

Generalised: any number of classes, any size from 32 x 32, and `multiplier` times as many maps.
"""

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from seefood_training.networks.registry import NetworkChoice, NetworkSpec, Weights, register

if TYPE_CHECKING:
    import keras

# Table 1: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj.
MODULES: Final = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
_POOLED_BEFORE: Final = frozenset({"3a", "4a", "5a"})
_AUXILIARY_AFTER: Final = frozenset({"4a", "4d"})
_MIN_AUXILIARY_SIDE: Final = 80
"""In pixels; of a smaller picture the auxiliary classifiers' 5 x 5 average does not fit."""


def build(choice: NetworkChoice, weights: Weights, *, auxiliary: bool = False) -> "keras.Model":
    """Return GoogLeNet.

    With `auxiliary` the model has three outputs if the picture is large enough: the logits, and
    those of the two auxiliary classifiers.
    """
    import keras
    from keras import layers

    from seefood_training.networks.blocks.normalisation import LocalResponseNormalisation

    del weights
    auxiliary = auxiliary and min(choice.height, choice.width) >= _MIN_AUXILIARY_SIDE

    def scaled(maps: int) -> int:
        return max(1, round(maps * choice.multiplier))

    def conv(x: Any, maps: int, side: int, name: str, strides: int = 1) -> Any:
        return layers.Conv2D(scaled(maps), side, strides, "same", activation="relu", name=name)(x)

    def pool(x: Any, side: int, strides: int) -> Any:
        return layers.MaxPooling2D(side, strides, "same")(x)

    def auxiliary_logits(x: Any, name: str) -> Any:
        x = layers.AveragePooling2D(5, 3)(x)
        x = layers.Flatten()(conv(x, 128, 1, f"{name}_1x1"))
        x = layers.Dense(scaled(1024), activation="relu", name=f"{name}_dense")(x)
        x = layers.Dropout(0.7)(x)
        return layers.Dense(choice.classes, name=f"{name}_logits", dtype="float32")(x)

    x = pixels = keras.Input(choice.shape)
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(x)
    x = pool(conv(x, 64, 7, "conv1", strides=2), 3, 2)
    x = LocalResponseNormalisation()(x)
    x = conv(conv(x, 64, 1, "conv2_reduce"), 192, 3, "conv2")
    x = LocalResponseNormalisation()(x)
    extra = []
    for name, (one, three_in, three, five_in, five, projected) in MODULES.items():
        if name in _POOLED_BEFORE:
            x = pool(x, 3, 2)
        branches = [
            conv(x, one, 1, f"{name}_1x1"),
            conv(conv(x, three_in, 1, f"{name}_3x3_reduce"), three, 3, f"{name}_3x3"),
            conv(conv(x, five_in, 1, f"{name}_5x5_reduce"), five, 5, f"{name}_5x5"),
            conv(pool(x, 3, 1), projected, 1, f"{name}_pool"),
        ]
        x = layers.Concatenate(name=name)(branches)
        if auxiliary and name in _AUXILIARY_AFTER:
            extra.append(auxiliary_logits(x, f"auxiliary_{name}"))
    x = layers.Dropout(0.4)(layers.GlobalAveragePooling2D()(x))
    logits = layers.Dense(choice.classes, name="logits", dtype="float32")(x)
    return keras.Model(pixels, [logits, *extra] if auxiliary else logits, name="googlenet")


register(
    NetworkSpec(
        "googlenet",
        224,
        build,
        build_for_training=partial(build, auxiliary=True),
        takes_weights=False,
    )
)
