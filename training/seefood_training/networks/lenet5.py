"""LeNet-5, layer by layer.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: "Gradient-Based Learning Applied to Document
Recognition", Proceedings of the IEEE 86 (1998), section II-B and figure 2.

As in the paper: the sparse table I between S2 and C3, subsampling layers with one trained
coefficient and one trained bias a map, the activation 1.7159 tanh(2/3 x), and an output layer that
compares F6 with fixed codes (no trained parameters). 60,000 parameters at 32 x 32 x 1.

Generalised: any number of channels and classes. For a larger picture C5 has more than 1 x 1
outputs, as the paper states; they are averaged.
"""

from typing import TYPE_CHECKING, Final

from seefood_training.networks.registry import NetworkChoice, NetworkSpec, Weights, register

if TYPE_CHECKING:
    import keras

# Table I: the maps of S2 that each map of C3 reads.
C3_READS: Final = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)


def build(choice: NetworkChoice, weights: Weights) -> "keras.Model":
    """Return LeNet-5; `choice.multiplier` has no effect."""
    import keras
    from keras import layers, ops

    from seefood_training.networks.blocks.lenet import CODE_LENGTH, FixedCodes, Subsampling, squash

    del weights
    x = pixels = keras.Input(choice.shape)
    # Section III-A: the background is -0.1 and the foreground 1.175.
    x = layers.Rescaling(1.275 / 255.0, offset=-0.1)(x)
    x = squash(layers.Conv2D(6, 5, name="C1")(x))
    x = squash(Subsampling(name="S2")(x))
    maps = [
        layers.Conv2D(1, 5, name=f"C3_{index}")(
            ops.concatenate([x[..., read : read + 1] for read in reads], axis=-1)
        )
        for index, reads in enumerate(C3_READS)
    ]
    x = squash(layers.Concatenate(name="C3")(maps))
    x = squash(Subsampling(name="S4")(x))
    x = squash(layers.Conv2D(120, 5, name="C5")(x))
    x = layers.GlobalAveragePooling2D()(x)
    x = squash(layers.Dense(CODE_LENGTH, name="F6")(x))
    logits = FixedCodes(choice.classes, name="logits", dtype="float32")(x)
    return keras.Model(pixels, logits, name="lenet5")


register(NetworkSpec("lenet5", 64, build, takes_weights=False))
