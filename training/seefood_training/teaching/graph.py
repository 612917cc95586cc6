"""Replaces the last layer of a tflite file; all operations before it stay as they are, bit by bit.

The features of the new graph are therefore those that were stored with the old one.
"""

from typing import Any, Final

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from seefood_training.linear_probe import Floats, Probe

_IDENTIFIER: Final = b"TFL3"
_ALIGNMENT: Final = 16
"""Of constants: schema.fbs states `force_align: 16` for `Buffer.data`."""
_STORED: Final = {
    schema.TensorType.FLOAT32: "<f4",
    schema.TensorType.FLOAT16: "<f2",
    schema.TensorType.INT8: "i1",
    schema.TensorType.INT32: "<i4",
}
"""How constants are stored."""
_OLD_CODES: Final = 127
"""Operations from this number on are not in the older, 8-bit field."""


class _AlignedBuilder(flatbuffers.Builder):  # type: ignore[misc]  # it has no types
    """A builder that aligns every vector, because the generated code knows no `force_align`."""

    def StartVector(self, size: int, count: int, alignment: int) -> Any:  # noqa: N802 (its name)
        """Begin a vector at a multiple of 16 bytes."""
        return super().StartVector(size, count, max(alignment, _ALIGNMENT))


def with_head(flat: bytes, features: int, head: Probe) -> bytes:
    """Return the tflite file `flat` that ends in the softmax of `head` on the tensor `features`.

    `features` is float32 or quantised, with one axis above length 1. The only output is the
    probabilities, float32 of shape `(1, classes)`.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(bytearray(flat)))
    graph = model.subgraphs[0]
    graph.operators = _before(graph.operators, features)
    source = features
    if graph.tensors[features].type != schema.TensorType.FLOAT32:
        source = _tensor(graph, "features", graph.tensors[features].shape)
        _operation(model, schema.BuiltinOperator.DEQUANTIZE, (features,), source)
    classes = head.coefficients.shape[1]
    weights = _constant(model, "head/weights", np.ascontiguousarray(head.coefficients.T))
    biases = _constant(model, "head/biases", head.intercepts)
    logits = _tensor(graph, "head/logits", (1, classes))
    probabilities = _tensor(graph, "probabilities", (1, classes))
    dense = schema.FullyConnectedOptionsT()
    _operation(
        model, schema.BuiltinOperator.FULLY_CONNECTED, (source, weights, biases), logits, dense
    )
    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    _operation(model, schema.BuiltinOperator.SOFTMAX, (logits,), probabilities, softmax)
    graph.outputs = np.array([probabilities], np.int32)
    model.signatureDefs = None  # they name the old outputs
    builder = _AlignedBuilder(len(flat) + head.coefficients.nbytes + 4096)
    builder.Finish(model.Pack(builder), _IDENTIFIER)
    return bytes(builder.Output())


def read_head(flat: bytes, features: int) -> Probe | None:
    """Return the last layer of the tflite file `flat`, on the tensor `features`.

    None if it is not one matrix product with constant weights.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(bytearray(flat)))
    layers = [
        each
        for each in model.subgraphs[0].operators
        if features in each.inputs.tolist()
        and _code(model, each) == schema.BuiltinOperator.FULLY_CONNECTED
    ]
    if len(layers) != 1:
        return None
    weights, biases = (_values(model, index) for index in (*layers[0].inputs.tolist(), -1)[1:3])
    if weights is None or weights.ndim != 2:
        return None
    zeros = np.zeros(len(weights), np.float32)
    return Probe(np.ascontiguousarray(weights.T), zeros if biases is None else biases)


def _values(model: Any, index: int) -> Floats | None:
    """Return a constant as real numbers; None for another tensor."""
    graph = model.subgraphs[0]
    for operator in graph.operators:
        is_maker = index in operator.outputs.tolist()
        if is_maker and _code(model, operator) == schema.BuiltinOperator.DEQUANTIZE:
            index = int(operator.inputs[0])
            break
    tensor = graph.tensors[index] if index >= 0 else None
    stored = None if tensor is None else model.buffers[tensor.buffer].data
    if tensor is None or stored is None or tensor.type not in _STORED:
        return None
    values = np.frombuffer(bytes(stored), _STORED[tensor.type]).reshape(tensor.shape)
    if values.dtype.kind == "f":
        return values.astype(np.float32)
    rounding = tensor.quantization
    shape = [1] * values.ndim
    shape[rounding.quantizedDimension] = -1
    scale, zero = (np.reshape(each, shape) for each in (rounding.scale, rounding.zeroPoint))
    return np.asarray((values.astype(np.float32) - zero) * scale, np.float32)


def _code(model: Any, operator: Any) -> int:
    known = model.operatorCodes[operator.opcodeIndex]
    return int(max(known.deprecatedBuiltinCode, known.builtinCode))


def _before(operators: list[Any], tensor: int) -> list[Any]:
    """Return the operations that `tensor` depends on, in their order."""
    needed = {tensor}
    kept = []
    for operator in reversed(operators):
        if not needed.isdisjoint(operator.outputs.tolist()):
            kept.append(operator)
            needed.update(operator.inputs.tolist())
    return kept[::-1]


def _tensor(graph: Any, name: str, shape: Any) -> int:
    """Add a float32 tensor and return its index."""
    tensor = schema.TensorT()
    tensor.name = name.encode()
    tensor.type = schema.TensorType.FLOAT32
    tensor.shape = np.array(shape, np.int32)
    tensor.buffer = 0  # always empty
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def _constant(model: Any, name: str, values: Floats) -> int:
    """Add a float32 constant and return its tensor's index."""
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(values.astype("<f4").tobytes(), np.uint8)
    model.buffers.append(buffer)
    index = _tensor(model.subgraphs[0], name, values.shape)
    model.subgraphs[0].tensors[index].buffer = len(model.buffers) - 1
    return index


def _operation(
    model: Any, code: int, inputs: tuple[int, ...], output: int, options: Any = None
) -> None:
    operator = schema.OperatorT()
    operator.opcodeIndex = _code_index(model, code)
    operator.inputs = np.array(inputs, np.int32)
    operator.outputs = np.array([output], np.int32)
    if options is not None:
        kind = type(options).__name__.removesuffix("T")
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        operator.builtinOptions = options
    model.subgraphs[0].operators.append(operator)


def _code_index(model: Any, code: int) -> int:
    """Return the index of the operation's code of version 1 or above; add it if it is absent."""
    for index, known in enumerate(model.operatorCodes):
        if max(known.deprecatedBuiltinCode, known.builtinCode) == code:
            return index
    added = schema.OperatorCodeT()
    added.builtinCode = code
    added.deprecatedBuiltinCode = min(code, _OLD_CODES)
    added.version = 1
    model.operatorCodes.append(added)
    return len(model.operatorCodes) - 1
