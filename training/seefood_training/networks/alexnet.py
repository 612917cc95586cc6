"""AlexNet, layer by layer.

A. Krizhevsky, I. Sutskever, G. E. Hinton: "ImageNet Classification with Deep Convolutional Neural
Networks", NIPS 2012, section 3 and figure 2.

As in the paper: the second, fourth and fifth convolution in two halves (section 3.2, one for each
GPU), local response normalisation (3.3), overlapping pooling (3.4), dropout in the first two dense
layers (4.2). 60,965,224 parameters at 227 x 227 x 3 and 1,000 classes; the paper says 224, which is
3 pixels less than its strides need.

Generalised: any number of classes, any size from 67 x 67, and `multiplier` times as many maps and
units.
"""

from typing import TYPE_CHECKING, Any

from seefood_training.networks.registry import NetworkChoice, NetworkSpec, Weights, register

if TYPE_CHECKING:
    import keras


def build(choice: NetworkChoice, weights: Weights) -> "keras.Model":
    """Return AlexNet."""
    import keras
    from keras import layers, ops

    from seefood_training.networks.blocks.normalisation import LocalResponseNormalisation

    del weights

    def scaled(maps: int) -> int:
        return max(2, round(maps * choice.multiplier / 2) * 2)

    def in_halves(x: Any, maps: int, side: int, name: str) -> Any:
        """Return each half of the maps through a convolution of its own, concatenated."""
        halves = [
            layers.Conv2D(
                scaled(maps) // 2, side, padding="same", activation="relu", name=f"{name}_{part}"
            )(half)
            for part, half in zip("ab", ops.split(x, 2, axis=-1), strict=True)
        ]
        return layers.Concatenate(name=name)(halves)

    x = pixels = keras.Input(choice.shape)
    # Section 2 subtracts the mean; the scale is ours, for any initialisation to start from.
    x = layers.Rescaling(1 / 58.0, offset=-117.0 / 58.0)(x)
    x = layers.Conv2D(scaled(96), 11, strides=4, activation="relu", name="conv1")(x)
    x = LocalResponseNormalisation(name="norm1")(x)
    x = layers.MaxPooling2D(3, 2, name="pool1")(x)
    x = in_halves(x, 256, 5, "conv2")
    x = LocalResponseNormalisation(name="norm2")(x)
    x = layers.MaxPooling2D(3, 2, name="pool2")(x)
    x = layers.Conv2D(scaled(384), 3, padding="same", activation="relu", name="conv3")(x)
    x = in_halves(x, 384, 3, "conv4")
    x = in_halves(x, 256, 3, "conv5")
    x = layers.MaxPooling2D(3, 2, name="pool5")(x)
    x = layers.Flatten()(x)
    for name in ("fc6", "fc7"):
        x = layers.Dense(scaled(4096), activation="relu", name=name)(x)
        x = layers.Dropout(0.5)(x)
    logits = layers.Dense(choice.classes, name="logits", dtype="float32")(x)
    return keras.Model(pixels, logits, name="alexnet")


register(NetworkSpec("alexnet", 227, build, takes_weights=False))
