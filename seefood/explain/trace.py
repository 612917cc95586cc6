"""Runs one picture through a bundle's LiteRT graph and keeps the output of every operation.

This runs without delegates and preserves all tensors, so it is slower than serving.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from seefood.bundle import LITERT_MODEL, Bundle
from seefood.errors import UsageError
from seefood.explain.tflite_graph import Operation, read_operations
from seefood.imaging.decode import Pixels

Values = NDArray[np.float32]


@dataclass(frozen=True)
class Trace:
    """Every tensor of one run, by index, dequantised to float32."""

    operations: tuple[Operation, ...]
    tensors: dict[int, Values]
    """Activations have shape `(1, height, width, channels)` or `(1, features)`; a convolution's
    weights `(out, height, width, in)`, a depthwise one's `(1, height, width, channels)`, a fully
    connected one's `(out, in)`."""
    input: int
    """The tensor that holds the picture."""
    output: int
    """The tensor that holds the probabilities."""

    @cached_property
    def probabilities(self) -> Values:
        """The network's output, shape `(classes,)`."""
        return np.asarray(self.tensors[self.output][0], dtype=np.float32)


def trace_picture(bundle: Bundle, pixels: Pixels) -> Trace:
    """Return the trace of `pixels`, RGB uint8 of shape `(height, width, 3)`.

    Raises `UsageError` if the bundle has no LiteRT graph.
    """
    if not bundle.has_litert:
        raise UsageError(
            f"the bundle {bundle.path} has no LiteRT graph, so its layers cannot be shown; "
            "package a model that converts to LiteRT"
        )
    path = bundle.file(LITERT_MODEL)
    interpreter = Interpreter(
        model_path=str(path),
        num_threads=2,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    picture = int(interpreter.get_input_details()[0]["index"])
    interpreter.set_tensor(picture, pixels[np.newaxis])
    interpreter.invoke()
    output = int(interpreter.get_output_details()[0]["index"])
    operations = _leading_to(output, read_operations(path))
    used = {index for item in operations for index in (*item.inputs, *item.outputs) if index >= 0}
    details = {int(detail["index"]): detail for detail in interpreter.get_tensor_details()}
    tensors = {
        index: _dequantised(
            interpreter.get_tensor(index), details[index]["quantization_parameters"]
        )
        for index in sorted(used)
    }
    return Trace(operations, tensors, picture, output)


def _leading_to(output: int, operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
    """Return the operations that the tensor `output` depends on, in order."""
    needed, kept = {output}, []
    for operation in reversed(operations):
        if needed.intersection(operation.outputs):
            needed.update(operation.inputs)
            kept.append(operation)
    return tuple(reversed(kept))


def _dequantised(values: NDArray[np.generic], parameters: dict[str, NDArray[np.generic]]) -> Values:
    """Return real values: `scale * (stored - zero point)`, per tensor or per channel."""
    scales = np.asarray(parameters["scales"], dtype=np.float32)
    stored = values.astype(np.float32)
    if scales.size == 0:
        return stored
    shape = [1] * stored.ndim
    if scales.size > 1:
        shape[int(parameters["quantized_dimension"])] = scales.size
    zeros = np.asarray(parameters["zero_points"], dtype=np.float32)
    return np.asarray((stored - zeros.reshape(shape)) * scales.reshape(shape), dtype=np.float32)
