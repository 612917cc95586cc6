"""Layers, shapes and parameters of LeNet-5, AlexNet and GoogLeNet, computed from their papers.

This needs no framework. The trainable networks are in `seefood_training.networks`; a test compares
the parameters of both.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ClassicLayer:
    """A layer of a classic network."""

    name: str
    side: int
    """Height and width of the output."""
    channels: int
    parameters: int


@dataclass(frozen=True, slots=True)
class Classic:
    """A classic network at its original input size."""

    name: str
    year: int
    paper: str
    input_shape: tuple[int, int, int]
    depth: int
    """Number of layers with weights on the longest path."""
    layers: tuple[ClassicLayer, ...]

    @property
    def parameters(self) -> int:
        """The number of trainable parameters."""
        return sum(layer.parameters for layer in self.layers)


def output_side(side: int, window: int, stride: int = 1, padding: int = 0) -> int:
    """Return `floor((side + padding - window) / stride) + 1`; padding is the sum of both sides."""
    return (side + padding - window) // stride + 1


def convolution_parameters(window: int, inputs: int, outputs: int, groups: int = 1) -> int:
    """Return weights and biases of a convolution with square windows."""
    return (window * window * inputs // groups + 1) * outputs


def lenet5() -> Classic:
    """LeCun, Bottou, Bengio and Haffner 1998, section II.B: 32 x 32 grey digits.

    C3 connects each of its 16 maps to some of the 6 below (table I): 60 kernels. Subsampling layers
    have one coefficient and one bias per map. The output layer compares with fixed codes and has no
    trainable parameters.
    """
    kernels_c3 = 6 * 3 + 9 * 4 + 1 * 6
    c1 = output_side(32, 5)
    s2, c3 = c1 // 2, output_side(c1 // 2, 5)
    layers = (
        ClassicLayer("C1", c1, 6, convolution_parameters(5, 1, 6)),
        ClassicLayer("S2", s2, 6, 2 * 6),
        ClassicLayer("C3", c3, 16, kernels_c3 * 25 + 16),
        ClassicLayer("S4", c3 // 2, 16, 2 * 16),
        ClassicLayer("C5", output_side(c3 // 2, 5), 120, convolution_parameters(5, 16, 120)),
        ClassicLayer("F6", 1, 84, (120 + 1) * 84),
        ClassicLayer("RBF", 1, 10, 0),
    )
    return Classic("LeNet-5", 1998, "LeCun et al. 1998", (32, 32, 1), 5, layers)


def alexnet() -> Classic:
    """Krizhevsky, Sutskever and Hinton 2012, section 3.5: 227 x 227 photos, two groups of maps."""
    conv1 = output_side(227, 11, 4)
    pool1 = output_side(conv1, 3, 2)
    pool2 = output_side(pool1, 3, 2)
    pool5 = output_side(pool2, 3, 2)
    layers = (
        ClassicLayer("conv1", conv1, 96, convolution_parameters(11, 3, 96)),
        ClassicLayer("pool1", pool1, 96, 0),
        ClassicLayer("conv2", pool1, 256, convolution_parameters(5, 96, 256, 2)),
        ClassicLayer("pool2", pool2, 256, 0),
        ClassicLayer("conv3", pool2, 384, convolution_parameters(3, 256, 384)),
        ClassicLayer("conv4", pool2, 384, convolution_parameters(3, 384, 384, 2)),
        ClassicLayer("conv5", pool2, 256, convolution_parameters(3, 384, 256, 2)),
        ClassicLayer("pool5", pool5, 256, 0),
        ClassicLayer("fc6", 1, 4096, (pool5 * pool5 * 256 + 1) * 4096),
        ClassicLayer("fc7", 1, 4096, (4096 + 1) * 4096),
        ClassicLayer("fc8", 1, 1000, (4096 + 1) * 1000),
    )
    return Classic("AlexNet", 2012, "Krizhevsky et al. 2012", (227, 227, 3), 8, layers)


# Szegedy et al. 2014, table 1: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection.
_INCEPTION: Final = {
    "3a": (28, 192, (64, 96, 128, 16, 32, 32)),
    "3b": (28, 256, (128, 128, 192, 32, 96, 64)),
    "4a": (14, 480, (192, 96, 208, 16, 48, 64)),
    "4b": (14, 512, (160, 112, 224, 24, 64, 64)),
    "4c": (14, 512, (128, 128, 256, 24, 64, 64)),
    "4d": (14, 512, (112, 144, 288, 32, 64, 64)),
    "4e": (14, 528, (256, 160, 320, 32, 128, 128)),
    "5a": (7, 832, (256, 160, 320, 32, 128, 128)),
    "5b": (7, 832, (384, 192, 384, 48, 128, 128)),
}


def _inception(name: str) -> ClassicLayer:
    side, inputs, (one, reduce3, three, reduce5, five, pool) = _INCEPTION[name]
    parameters = (
        convolution_parameters(1, inputs, one)
        + convolution_parameters(1, inputs, reduce3)
        + convolution_parameters(3, reduce3, three)
        + convolution_parameters(1, inputs, reduce5)
        + convolution_parameters(5, reduce5, five)
        + convolution_parameters(1, inputs, pool)
    )
    return ClassicLayer(f"inception {name}", side, one + three + five + pool, parameters)


def googlenet() -> Classic:
    """Szegedy et al. 2014, table 1: 224 x 224 photos, nine inception blocks, average pooling."""
    layers = (
        ClassicLayer("conv1", 112, 64, convolution_parameters(7, 3, 64)),
        ClassicLayer("pool1", 56, 64, 0),
        ClassicLayer("conv2 reduce", 56, 64, convolution_parameters(1, 64, 64)),
        ClassicLayer("conv2", 56, 192, convolution_parameters(3, 64, 192)),
        ClassicLayer("pool2", 28, 192, 0),
        *map(_inception, _INCEPTION),
        ClassicLayer("average pool", 1, 1024, 0),
        ClassicLayer("linear", 1, 1000, (1024 + 1) * 1000),
    )
    return Classic("GoogLeNet", 2014, "Szegedy et al. 2014", (224, 224, 3), 22, layers)


CLASSICS: Final = (lenet5(), alexnet(), googlenet())
