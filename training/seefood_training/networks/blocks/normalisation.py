"""Local response normalisation, which AlexNet introduced and GoogLeNet uses."""

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops


@keras.saving.register_keras_serializable("seefood")
class LocalResponseNormalisation(layers.Layer):  # type: ignore[misc] # keras has no types
    """AlexNet, section 3.3: b = a / (2 + 1e-4 * sum of a^2 over 5 neighbouring maps) ^ 0.75."""

    def call(self, x: Any) -> Any:
        """Return `x` normalised, of the same shape."""
        # TensorFlow's operation, because LiteRT has it as well; it takes float32 only.
        normal = tf.nn.local_response_normalization(
            ops.cast(x, "float32"), depth_radius=2, bias=2.0, alpha=1e-4, beta=0.75
        )
        return ops.cast(normal, x.dtype)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the input's shape."""
        return input_shape
