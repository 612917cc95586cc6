"""The layers that only LeNet-5 has; section and table numbers are those of its paper."""

from typing import Any, Final

import keras
import numpy as np
from keras import layers, ops

CODE_LENGTH: Final = 84


def squash(x: Any) -> Any:
    """Return 1.7159 tanh(2/3 x)."""
    return 1.7159 * ops.tanh(x * (2.0 / 3.0))


@keras.saving.register_keras_serializable("seefood")
class Subsampling(layers.Layer):  # type: ignore[misc] # keras has no types
    """Sums of 2 x 2 neighbours, times one trained coefficient a map, plus one trained bias."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Add the two parameters of each map."""
        maps = input_shape[-1]
        self.coefficient = self.add_weight(
            shape=(maps,), initializer=keras.initializers.Constant(0.25)
        )
        self.bias = self.add_weight(shape=(maps,), initializer="zeros")

    def call(self, x: Any) -> Any:
        """Return maps of half the height and width."""
        return ops.average_pool(x, 2) * 4.0 * self.coefficient + self.bias

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return half the height and width."""
        batch, height, width, maps = input_shape
        return batch, height // 2, width // 2, maps


@keras.saving.register_keras_serializable("seefood")
class FixedCodes(layers.Layer):  # type: ignore[misc] # keras has no types
    """Logits from the distance to a fixed code of -1 and 1 for each class.

    Section II-B allows stylised letters or random codes. These are random, from a fixed seed, so
    that they exist for any number of classes. Softmax over the logits is the paper's maximum a
    posteriori criterion (equation 9).
    """

    def __init__(self, classes: int, **options: Any) -> None:
        super().__init__(**options)
        self.classes = classes
        bits = np.random.default_rng(1998).integers(0, 2, (classes, CODE_LENGTH))
        self.codes = (2.0 * bits - 1.0).astype(np.float32)

    def call(self, x: Any) -> Any:
        """Return logits of shape `(n, classes)` for codes of shape `(n, 84)`.

        Minus half the squared distance is x * code - (|x|^2 + |code|^2) / 2. The second term is the
        same for every class, because all codes have the same length, and cancels in a softmax.
        """
        return ops.matmul(ops.cast(x, "float32"), self.codes.T)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return `(n, classes)`."""
        return input_shape[0], self.classes

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that create this layer again."""
        return {**super().get_config(), "classes": self.classes}
