"""The layers of a network as textbooks describe them: shapes, parameters, receptive fields.

The side of an output, with input side n, window k, stride s, dilation d and padding p, is

    floor((n + p - d (k - 1) - 1) / s) + 1        (Dumoulin and Visin 2016, relationship 14)

The receptive field r of a layer, from that of its input r', whose pixels are j' apart, is

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
class ReceptiveField:
    """The part of the picture that one value of a layer depends on, along one side."""

    size: int = 1
    """Pixels of the network's input."""
    jump: int = 1
    """Distance between neighbouring values, in pixels of the network's input."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One step of the network that the page shows."""

    number: int
    """From 1, in the order of execution."""
    kind: Kind
    operation: Operation
    input_shape: tuple[int, ...]
    """Without the batch, before explicit padding."""
    output_shape: tuple[int, ...]
    window: tuple[int, int]
    """(height, width); (1, 1) for a layer without a window."""
    padding: tuple[int, int]
    """Rows and columns of zeros, both sides added."""
    parameters: int
    field: ReceptiveField

    def derived_side(self, axis: int) -> int:
        """Return the output's height (axis 0) or width (axis 1) by the formula."""
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
    fields: dict[int, ReceptiveField] = {}
    paddings: dict[int, tuple[int, int]] = {}
    layers: list[Layer] = []
    for item in trace.operations:
        kind = _kind(item, trace)
        window = _window(item, kind, trace)
        field = _receptive_field(item, kind, window, trace, fields)
        fields.update(dict.fromkeys(item.outputs, field))
        if item.name == "PAD":
            paddings[item.outputs[0]] = _explicit_padding(trace, item)
        if item.name in _HIDDEN:
            continue
        source = _activation_input(item, trace)
        explicit = paddings.get(source, (0, 0))
        input_shape = _shape(trace, source)
        if source in paddings:
            height, width, *rest = input_shape
            input_shape = (height - explicit[0], width - explicit[1], *rest)
        output_shape = _shape(trace, item.outputs[0])
        is_same = kind in _WINDOWED and item.same_padding
        layers.append(
            Layer(
                number=len(layers) + 1,
                kind=kind,
                operation=item,
                input_shape=input_shape,
                output_shape=output_shape,
                window=window,
                padding=_same_padding(item, window, input_shape, output_shape)
                if is_same
                else explicit,
                parameters=_parameters(item, kind, trace),
                field=field,
            )
        )
    return layers


def _shape(trace: Trace, index: int) -> tuple[int, ...]:
    return tuple(map(int, trace.tensors[index].shape[1:]))


def _kind(item: Operation, trace: Trace) -> Kind:
    kind = _KINDS.get(item.name, "other")
    if item.name == "AVERAGE_POOL_2D" and trace.tensors[item.outputs[0]].shape[1:3] == (1, 1):
        return "global_pool"
    if kind == "add" and any(_is_constant(index, trace) for index in item.inputs):
        return "scale"
    return kind


def _is_constant(index: int, trace: Trace) -> bool:
    """Return whether a tensor is a weight, stored as float32 or dequantised by the graph."""
    maker = next((item for item in trace.operations if index in item.outputs), None)
    if maker is None:
        return index != trace.input
    return maker.name == "DEQUANTIZE" and _is_constant(maker.inputs[0], trace)


def _activation_input(item: Operation, trace: Trace) -> int:
    """Return the input that depends on the picture."""
    return next(
        (index for index in item.inputs if index >= 0 and not _is_constant(index, trace)),
        item.inputs[0],
    )


def _window(item: Operation, kind: Kind, trace: Trace) -> tuple[int, int]:
    if item.window is not None:
        return item.window
    if kind in {"convolution", "depthwise"}:
        _, height, width, _ = trace.tensors[item.inputs[1]].shape
        return int(height), int(width)
    return 1, 1


def _receptive_field(
    item: Operation,
    kind: Kind,
    window: tuple[int, int],
    trace: Trace,
    fields: dict[int, ReceptiveField],
) -> ReceptiveField:
    inputs = [fields[index] for index in item.inputs if index in fields]
    before = max(inputs, key=lambda field: field.size, default=ReceptiveField())
    if kind in _WINDOWED:
        size = before.size + (window[0] - 1) * item.dilation * before.jump
        return ReceptiveField(size, before.jump * item.stride[0])
    if kind == "global_pool":
        shape = trace.tensors[_activation_input(item, trace)].shape
        side = int(shape[1]) if len(shape) == 4 else 1
        return ReceptiveField(before.size + (side - 1) * before.jump, before.jump * side)
    return before


def _same_padding(
    item: Operation,
    window: tuple[int, int],
    input_shape: tuple[int, ...],
    output_shape: tuple[int, ...],
) -> tuple[int, int]:
    """Return how many zeros TensorFlow's `SAME` adds on both sides together."""
    down, across = (
        (output_shape[axis] - 1) * item.stride[axis]
        + item.dilation * (window[axis] - 1)
        + 1
        - input_shape[axis]
        for axis in (0, 1)
    )
    return max(0, down), max(0, across)


def _explicit_padding(trace: Trace, item: Operation) -> tuple[int, int]:
    amounts = trace.tensors[item.inputs[1]].astype(int)
    return int(amounts[1].sum()), int(amounts[2].sum())


def _parameters(item: Operation, kind: Kind, trace: Trace) -> int:
    if kind not in {"convolution", "depthwise", "dense"}:
        return 0
    return sum(int(trace.tensors[index].size) for index in item.inputs[1:3] if index >= 0)


def bias_of(layer: Layer, trace: Trace) -> Values:
    """Return the bias of a convolution or a dense layer, zeros if it has none; `(outputs,)`."""
    inputs = layer.operation.inputs
    if len(inputs) > 2 and inputs[2] >= 0:
        return trace.tensors[inputs[2]]
    return np.zeros(layer.output_shape[-1], np.float32)


def before_activation(layer: Layer, trace: Trace, channels: Sequence[int]) -> Values:
    """Return some channels of a convolution before its fused activation.

    Computed in NumPy because LiteRT only returns the activated values. Shape
    `(height, width, len(channels))`; activated, it equals the graph's own output.
    """
    item, chosen = layer.operation, list(channels)
    source = trace.tensors[_activation_input(item, trace)][0]
    weights = trace.tensors[item.inputs[1]]
    is_padded = source.shape[0] != layer.input_shape[0]
    if not is_padded:
        top, left = layer.padding[0] // 2, layer.padding[1] // 2
        rest = (layer.padding[0] - top, layer.padding[1] - left)
        source = np.pad(source, ((top, rest[0]), (left, rest[1]), (0, 0)))
    span = tuple(item.dilation * (side - 1) + 1 for side in layer.window)
    patches = np.lib.stride_tricks.sliding_window_view(source, span, axis=(0, 1))
    patches = patches[:: item.stride[0], :: item.stride[1], :, :: item.dilation, :: item.dilation]
    if layer.kind == "depthwise":
        kernels = weights[0][:, :, chosen]
        sums = np.einsum("yxchw,hwc->yxc", patches[:, :, chosen], kernels, optimize=True)
    else:
        sums = np.einsum("yxchw,ohwc->yxo", patches, weights[chosen], optimize=True)
    return np.asarray(sums + bias_of(layer, trace)[chosen], dtype=np.float32)
