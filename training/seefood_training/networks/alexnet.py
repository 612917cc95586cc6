"""AlexNet, layer by layer.

A. Krizhevsky, I. Sutskever, G. E. Hinton: "ImageNet Classification with Deep Convolutional Neural
Networks", NIPS 2012, section 3 and figure 2.

Kept from the paper: the two halves in the second, fourth and fifth convolution (section 3.2, one
for each GPU then), local response normalisation (3.3), overlapping pooling (3.4), dropout in the
first two dense layers (4.2). 60,965,224 parameters at 227 x 227 x 3 and 1,000 classes; the paper's
224 is one short of what its strides need.

Scaled: any number of classes, any size from 67 x 67, and `width` times as many maps and units.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops


def build(shape: tuple[int, int, int], classes: int, width: float = 1.0) -> keras.Model:
    """Return AlexNet from pixels in [0, 255] of `shape` (height, width, channels) to logits."""

    def scaled(maps: int) -> int:
        return max(2, round(maps * width / 2) * 2)

    x = pixels = keras.Input(shape)
    # Section 2 subtracts the mean; a scale as well lets any initialisation start.
    x = layers.Rescaling(1 / 58.0, offset=-117.0 / 58.0)(x)
    x = layers.Conv2D(scaled(96), 11, strides=4, activation="relu", name="conv1")(x)
    x = LocalResponseNormalisation(name="norm1")(x)
    x = layers.MaxPooling2D(3, 2, name="pool1")(x)
    x = _in_halves(
        x,
        lambda name: layers.Conv2D(
            scaled(256) // 2, 5, padding="same", activation="relu", name=name
        ),
        "conv2",
    )
    x = LocalResponseNormalisation(name="norm2")(x)
    x = layers.MaxPooling2D(3, 2, name="pool2")(x)
    x = layers.Conv2D(scaled(384), 3, padding="same", activation="relu", name="conv3")(x)
    x = _in_halves(
        x,
        lambda name: layers.Conv2D(
            scaled(384) // 2, 3, padding="same", activation="relu", name=name
        ),
        "conv4",
    )
    x = _in_halves(
        x,
        lambda name: layers.Conv2D(
            scaled(256) // 2, 3, padding="same", activation="relu", name=name
        ),
        "conv5",
    )
    x = layers.MaxPooling2D(3, 2, name="pool5")(x)
    x = layers.Flatten()(x)
    for name in ("fc6", "fc7"):
        x = layers.Dense(scaled(4096), activation="relu", name=name)(x)
        x = layers.Dropout(0.5)(x)
    logits = layers.Dense(classes, name="logits", dtype="float32")(x)
    return keras.Model(pixels, logits, name="alexnet")


def _in_halves(x: Any, layer: Callable[[str], keras.layers.Layer], name: str) -> Any:
    """Return each half of the maps through its own layer, side by side."""
    first, second = ops.split(x, 2, axis=-1)
    return layers.Concatenate(name=name)([layer(f"{name}_a")(first), layer(f"{name}_b")(second)])


@keras.saving.register_keras_serializable("seefood")
class LocalResponseNormalisation(layers.Layer):  # type: ignore[misc] # keras has no types
    """Section 3.3: b = a / (2 + 1e-4 * sum of a^2 over 5 neighbouring maps) ^ 0.75."""

    def call(self, x: Any) -> Any:
        """Return `x` normalised, of the same shape."""
        # TensorFlow's own operation is one that LiteRT has, too; it knows float32 alone.
        import tensorflow as tf

        wide = ops.cast(x, "float32")
        normal = tf.nn.local_response_normalization(
            wide, depth_radius=2, bias=2.0, alpha=1e-4, beta=0.75
        )
        return ops.cast(normal, x.dtype)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the input's shape."""
        return input_shape
