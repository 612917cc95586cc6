"""GoogLeNet, layer by layer.

C. Szegedy et al.: "Going Deeper with Convolutions", CVPR 2015 (arXiv:1409.4842), section 5, table 1
and figure 3.

Kept from the paper: nine inception modules with their 5 x 5 branches, biases and no batch
normalisation, local response normalisation around the first convolutions, dropout of 40 % before
the classifier, and in training two auxiliary classifiers on the modules 4a and 4d whose loss counts
0.3. 6,998,552 parameters at 224 x 224 x 3 and 1,000 classes, and 6,379,728 in the auxiliary ones.

Scaled: any number of classes, any size from 32 x 32 (the auxiliary classifiers need 204 x 204), and
`width` times as many maps.
"""

from typing import Any, Final

import keras
from keras import layers

from seefood_training.networks.alexnet import LocalResponseNormalisation

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
AUXILIARY_WEIGHT: Final = 0.3
_POOLED_BEFORE: Final = frozenset({"3a", "4a", "5a"})
_AUXILIARY_AFTER: Final = frozenset({"4a", "4d"})


def build(
    shape: tuple[int, int, int], classes: int, width: float = 1.0, *, auxiliary: bool = False
) -> keras.Model:
    """Return GoogLeNet from pixels in [0, 255] of `shape` (height, width, channels) to logits.

    With `auxiliary` the model has three outputs: the logits and those of the two classifiers that
    training alone uses.
    """

    def conv(x: Any, maps: int, size: int, name: str, strides: int = 1) -> Any:
        layer = layers.Conv2D(
            max(1, round(maps * width)), size, strides, "same", activation="relu", name=name
        )
        return layer(x)

    def pool(x: Any, size: int, strides: int) -> Any:
        return layers.MaxPooling2D(size, strides, "same")(x)

    x = pixels = keras.Input(shape)
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
            side = layers.AveragePooling2D(5, 3)(x)
            side = layers.Flatten()(conv(side, 128, 1, f"auxiliary_{name}_1x1"))
            units = max(1, round(1024 * width))
            side = layers.Dense(units, activation="relu", name=f"auxiliary_{name}_dense")(side)
            side = layers.Dropout(0.7)(side)
            extra.append(
                layers.Dense(classes, name=f"auxiliary_{name}_logits", dtype="float32")(side)
            )
    x = layers.Dropout(0.4)(layers.GlobalAveragePooling2D()(x))
    logits = layers.Dense(classes, name="logits", dtype="float32")(x)
    return keras.Model(pixels, [logits, *extra] if auxiliary else logits, name="googlenet")
