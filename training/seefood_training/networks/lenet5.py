"""LeNet-5, layer by layer.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: "Gradient-Based Learning Applied to Document
Recognition", Proceedings of the IEEE 86 (1998), section II-B and figure 2.

Kept from the paper: the sparse table I between S2 and C3, subsampling layers with one trained
coefficient and one trained bias a map, the squashing function 1.7159 tanh(2/3 x), and an output of
fixed codes to which F6 is compared (0 trained parameters). 60,000 parameters at 32 x 32 x 1.

Scaled: any number of channels and classes; a larger picture makes C5 larger than 1 x 1, as the
paper says it would, and C5 is then averaged over the picture.
"""

from typing import Any, Final

import keras
import numpy as np
from keras import layers, ops

# Table I: which maps of S2 each map of C3 reads.
C3_READS: Final = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)
_CODE_LENGTH: Final = 84


def build(shape: tuple[int, int, int], classes: int) -> keras.Model:
    """Return LeNet-5 from pixels in [0, 255] of `shape` (height, width, channels) to logits."""
    x = pixels = keras.Input(shape)
    # Section III-A: the background is -0.1 and the foreground 1.175.
    x = layers.Rescaling(1.275 / 255.0, offset=-0.1)(x)
    x = _squash(layers.Conv2D(6, 5, name="C1")(x))
    x = _squash(Subsampling(name="S2")(x))
    maps = [
        layers.Conv2D(1, 5, name=f"C3_{index}")(
            ops.concatenate([x[..., read : read + 1] for read in reads], axis=-1)
        )
        for index, reads in enumerate(C3_READS)
    ]
    x = _squash(layers.Concatenate(name="C3")(maps))
    x = _squash(Subsampling(name="S4")(x))
    x = _squash(layers.Conv2D(120, 5, name="C5")(x))
    x = layers.GlobalAveragePooling2D()(x)
    x = _squash(layers.Dense(_CODE_LENGTH, name="F6")(x))
    logits = FixedCodes(classes, name="logits", dtype="float32")(x)
    return keras.Model(pixels, logits, name="lenet5")


def _squash(x: Any) -> Any:
    return 1.7159 * ops.tanh(x * (2.0 / 3.0))


@keras.saving.register_keras_serializable("seefood")
class Subsampling(layers.Layer):  # type: ignore[misc] # keras has no types
    """Sums of 2 x 2 neighbours, times one trained coefficient a map, plus one trained bias."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the two parameters of each map."""
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
    """Minus half the squared distance to a fixed code of -1 and 1 for each class.

    Section II-B lets the codes be stylised letters or chosen at random; here they are random, from
    a fixed seed, so any number of classes has some. Softmax over these logits is the paper's
    maximum a posteriori criterion (equation 9).
    """

    def __init__(self, classes: int, **options: Any) -> None:
        super().__init__(**options)
        self.classes = classes
        signs = np.random.default_rng(1998).integers(0, 2, (classes, _CODE_LENGTH))
        self.codes = (2.0 * signs - 1.0).astype(np.float32)

    def call(self, x: Any) -> Any:
        """Return logits of shape `(n, classes)` for codes of shape `(n, 84)`.

        The distance is written out: |x|^2 is the same for every class and cancels in a softmax, and
        so does |code|^2, for every code has the same length.
        """
        return ops.matmul(ops.cast(x, "float32"), self.codes.T)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return `(n, classes)`."""
        return input_shape[0], self.classes

    def get_config(self) -> dict[str, Any]:
        """Return what makes this layer again."""
        return {**super().get_config(), "classes": self.classes}
