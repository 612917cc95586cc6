"""From a trace to layers as a textbook has them: shapes by formula, parameters, receptive fields.

The formula of an output's side, with input side n, window k, stride s, dilation d, padding p:

    floor((n + p - d (k - 1) - 1) / s) + 1        (Dumoulin and Visin 2016, relationship 14)

and the receptive field r of a layer, from that of its input r', whose pixels lie j' apart:

    r = r' + (k - 1) d j',   j = j' s             (Araujo, Norris and Sim 2019, equation 2)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from seefood.explain.tflite_graph import Operation
from seefood.explain.trace import Trace, Values

Kind = Literal[
    "convolution", "depthwise", "max_pool", "average_pool", "global_pool", "dense", "activation",
    "softmax", "add", "scale", "other",
]  # fmt: skip

_KINDS: Final[dict[str, Kind]] = {
    "CONV_2D": "convolution",
    "DEPTHWISE_CONV_2D": "depthwise",
    "MAX_POOL_2D": "max_pool",
    "AVERAGE_POOL_2D": "average_pool",
    "MEAN": "global_pool",
    "FULLY_CONNECTED": "dense",
    "RELU": "activation",
    "RELU6": "activation",
    "TANH": "activation",
    "LOGISTIC": "activation",
    "HARD_SWISH": "activation",
    "SOFTMAX": "softmax",
    "ADD": "add",
    "MUL": "scale",
    "SUB": "scale",
    "DIV": "scale",
}
_WINDOWED: Final = frozenset({"convolution", "depthwise", "max_pool", "average_pool"})
_HIDDEN: Final = frozenset({"CAST", "QUANTIZE", "DEQUANTIZE", "RESHAPE", "PAD"})


@dataclass(frozen=True, slots=True)
class Reach:
    """Which part of the picture one value of a layer depends on, along one side."""

    size: int = 1
    """Pixels of the network's input."""
    jump: int = 1
    """Distance of neighbouring values, in pixels of the network's input."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One step of the network that does something to look at."""

    number: int
    """From 1, in the order of execution."""
    kind: Kind
    operation: Operation
    input_shape: tuple[int, ...]
    """Without the batch, after explicit padding."""
    output_shape: tuple[int, ...]
    window: tuple[int, int]
    """(height, width); (1, 1) where there is none."""
    padding: tuple[int, int]
    """All rows and columns of zeros together, both sides."""
    parameters: int
    reach: Reach

    def derived_side(self, axis: int) -> int:
        """Return the output's height (axis 0) or width (axis 1) as the formula gives it."""
        item = self.operation
        inner = self.input_shape[axis] + self.padding[axis]
        inner -= item.dilation * (self.window[axis] - 1) + 1
        return inner // item.stride[axis] + 1

    @property
    def is_windowed(self) -> bool:
        """Whether a window slides over the input, so that the formula applies."""
        return self.kind in _WINDOWED


def find_layers(trace: Trace) -> list[Layer]:
    """Return the layers of `trace` in the order of execution."""
    reaches: dict[int, Reach] = {}
    paddings: dict[int, tuple[int, int]] = {}
    layers: list[Layer] = []
    for item in trace.operations:
        sources = [index for index in item.inputs if index in reaches]
        before = _widest([reaches[index] for index in sources])
        kind = _kind(item, trace)
        window = _window(item, kind, trace)
        reach = _after(before, item, kind, window, _side(trace, item))
        for index in item.outputs:
            reaches[index] = reach
        if item.name == "PAD":
            paddings[item.outputs[0]] = _explicit_padding(trace, item)
            continue
        if item.name in _HIDDEN:
            continue
        layers.append(_layer(len(layers) + 1, kind, item, trace, (window, paddings, reach)))
    return layers


def _layer(
    number: int,
    kind: Kind,
    item: Operation,
    trace: Trace,
    found: tuple[tuple[int, int], dict[int, tuple[int, int]], Reach],
) -> Layer:
    window, paddings, reach = found
    source = _activation_input(item, trace)
    input_shape = trace.tensors[source].shape[1:]
    output_shape = trace.tensors[item.outputs[0]].shape[1:]
    explicit = paddings.get(source, (0, 0))
    if explicit != (0, 0):
        input_shape = (
            input_shape[0] - explicit[0], input_shape[1] - explicit[1], *input_shape[2:]
        )  # fmt: skip
    padding = explicit
    if kind in _WINDOWED and item.same_padding:
        padding = _same_padding(item, window, input_shape, output_shape)
    return Layer(
        number=number,
        kind=kind,
        operation=item,
        input_shape=tuple(map(int, input_shape)),
        output_shape=tuple(map(int, output_shape)),
        window=window,
        padding=padding,
        parameters=_parameters(item, kind, trace),
        reach=reach,
    )


def _kind(item: Operation, trace: Trace) -> Kind:
    kind = _KINDS.get(item.name, "other")
    if item.name == "AVERAGE_POOL_2D" and trace.tensors[item.outputs[0]].shape[1:3] == (1, 1):
        return "global_pool"
    if kind == "add" and any(_is_constant(index, trace) for index in item.inputs):
        return "scale"
    return kind


def _is_constant(index: int, trace: Trace) -> bool:
    """Whether a tensor is a weight, stored as it is or widened from fewer bits."""
    maker = next((item for item in trace.operations if index in item.outputs), None)
    if maker is None:
        return index != trace.input
    return maker.name == "DEQUANTIZE" and _is_constant(maker.inputs[0], trace)


def _activation_input(item: Operation, trace: Trace) -> int:
    """Return the input that carries the picture, not a constant."""
    return next(
        (at for at in item.inputs if at >= 0 and not _is_constant(at, trace)), item.inputs[0]
    )


def _window(item: Operation, kind: Kind, trace: Trace) -> tuple[int, int]:
    if item.window is not None:
        return item.window
    if kind in {"convolution", "depthwise"}:
        _, height, width, _ = trace.tensors[item.inputs[1]].shape
        return int(height), int(width)
    return 1, 1


def _side(trace: Trace, item: Operation) -> int:
    shape = trace.tensors[_activation_input(item, trace)].shape
    return int(shape[1]) if len(shape) == 4 else 1


def _after(before: Reach, item: Operation, kind: Kind, window: tuple[int, int], side: int) -> Reach:
    if kind in _WINDOWED:
        size = before.size + (window[0] - 1) * item.dilation * before.jump
        return Reach(size, before.jump * item.stride[0])
    if kind == "global_pool":
        return Reach(before.size + (side - 1) * before.jump, before.jump * side)
    return before


def _widest(reaches: list[Reach]) -> Reach:
    return max(reaches, key=lambda reach: reach.size, default=Reach())


def _same_padding(
    item: Operation,
    window: tuple[int, int],
    input_shape: tuple[int, ...],
    output_shape: tuple[int, ...],
) -> tuple[int, int]:
    """Return how many zeros TensorFlow's `SAME` adds on both sides together."""
    down, across = (
        max(
            0,
            (output_shape[axis] - 1) * item.stride[axis]
            + item.dilation * (window[axis] - 1)
            + 1
            - input_shape[axis],
        )
        for axis in (0, 1)
    )
    return int(down), int(across)


def _explicit_padding(trace: Trace, item: Operation) -> tuple[int, int]:
    amounts = trace.tensors[item.inputs[1]].astype(int)
    return int(amounts[1].sum()), int(amounts[2].sum())


def _parameters(item: Operation, kind: Kind, trace: Trace) -> int:
    if kind not in {"convolution", "depthwise", "dense"}:
        return 0
    return sum(int(trace.tensors[index].size) for index in item.inputs[1:3] if index >= 0)


def before_activation(layer: Layer, trace: Trace, channels: Sequence[int]) -> Values:
    """Return what a convolution gave before its fused activation, for some of its channels.

    Computed here, in NumPy, because LiteRT applies the activation at once. Shape
    `(height, width, len(channels))`; after the activation it equals what the graph answered.
    """
    item, chosen = layer.operation, list(channels)
    source = trace.tensors[_activation_input(item, trace)][0]
    weights = trace.tensors[item.inputs[1]]
    bias = trace.tensors[item.inputs[2]] if len(item.inputs) > 2 and item.inputs[2] >= 0 else None
    explicit = source.shape[0] != layer.input_shape[0]
    if not explicit:
        top, left = layer.padding[0] // 2, layer.padding[1] // 2
        rest = (layer.padding[0] - top, layer.padding[1] - left)
        source = np.pad(source, ((top, rest[0]), (left, rest[1]), (0, 0)))
    span = tuple(item.dilation * (side - 1) + 1 for side in layer.window)
    patches = np.lib.stride_tricks.sliding_window_view(source, span, axis=(0, 1))
    patches = patches[:: item.stride[0], :: item.stride[1], :, :: item.dilation, :: item.dilation]
    if layer.kind == "depthwise":
        kernels = weights[0][:, :, chosen]
        answer = np.einsum("yxchw,hwc->yxc", patches[:, :, chosen], kernels, optimize=True)
    else:
        answer = np.einsum("yxchw,ohwc->yxo", patches, weights[chosen], optimize=True)
    return np.asarray(answer if bias is None else answer + bias[chosen], dtype=np.float32)
