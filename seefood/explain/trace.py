"""Runs one picture through a bundle's LiteRT graph and keeps the output of every operation.

This runs without delegates and preserves all tensors, so it is slower than serving.
"""

from dataclasses import dataclass

import numpy as np
from ai_edge_litert.interpreter import OpResolverType
from numpy.typing import NDArray

from seefood.bundle import LITERT_MODEL, Bundle
from seefood.engines.adapting import GraphAdapter
from seefood.engines.litert import open_interpreter, output_index
from seefood.errors import UsageError
from seefood.explain.tflite_graph import Operation, read_operations
from seefood.imaging.decode import Pixels

Values = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
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

    probabilities: Values
    """What the bundle's engines return, shape `(classes,)`."""


def require_litert(bundle: Bundle) -> None:
    """Raise `UsageError` if `bundle` has no LiteRT graph, whose layers can be shown."""
    if not bundle.has_litert:
        cause = "an ONNX graph" if bundle.has_onnx else "a graph that only TensorFlow runs"
        raise UsageError(
            f"the bundle {bundle.path} holds {cause}, whose layers cannot be shown; `explain` "
            "takes bundles with a LiteRT graph"
        )


def trace_picture(bundle: Bundle, pixels: Pixels) -> Trace:
    """Return the trace of `pixels`, uint8 of shape `(height, width, channels)`.

    Raises `UsageError` if the bundle has no LiteRT graph.
    """
    require_litert(bundle)
    path = bundle.file(LITERT_MODEL)
    adapter = GraphAdapter(bundle)
    interpreter, picture = open_interpreter(
        {"model_path": str(path)},
        adapter.shape(1),
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    prepared = adapter.prepare(pixels[np.newaxis])
    interpreter.set_tensor(picture, prepared.reshape(adapter.shape(1)))
    interpreter.invoke()
    output = output_index(interpreter, adapter.output)
    probabilities = adapter.finish(interpreter.get_tensor(output), 1)[0]
    operations = _leading_to(output, read_operations(path))
    used = {index for item in operations for index in (*item.inputs, *item.outputs) if index >= 0}
    details = {int(detail["index"]): detail for detail in interpreter.get_tensor_details()}
    tensors = {
        index: _dequantised(
            interpreter.get_tensor(index), details[index]["quantization_parameters"]
        )
        for index in sorted(used)
    }
    return Trace(operations, tensors, picture, output, probabilities)


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
