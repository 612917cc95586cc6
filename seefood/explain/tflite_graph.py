"""Reads the operations of a tflite file: their strides, windows, paddings and activations.

The interpreter reports tensors but not the options of operations, so they are read from the file
with the classes that ai-edge-litert generates from TensorFlow Lite's schema.fbs. Importing those
takes about 0.2 s; only `seefood explain` does.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ai_edge_litert import schema_py_generated as schema

from seefood.errors import BundleError

_IDENTIFIER: Final = b"TFL3"
_ACTIVATIONS: Final = {
    schema.ActivationFunctionType.RELU: "relu",
    schema.ActivationFunctionType.RELU_N1_TO_1: "relu_n1_to_1",
    schema.ActivationFunctionType.RELU6: "relu6",
    schema.ActivationFunctionType.TANH: "tanh",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the graph."""

    name: str
    """As TensorFlow Lite's BuiltinOperator names it; `OP_<n>` for one that the schema lacks."""
    inputs: tuple[int, ...]
    """Indices of tensors; -1 where an optional one is absent."""
    outputs: tuple[int, ...]
    stride: tuple[int, int] = (1, 1)
    """(vertical, horizontal)."""
    window: tuple[int, int] | None = None
    """(height, width) of a pooling."""
    dilation: int = 1
    same_padding: bool = False
    activation: str | None = None
    """The activation that the operation applies to its result: `relu`, `relu6`, `tanh`, ..."""


def read_operations(path: Path) -> tuple[Operation, ...]:
    """Return the operations of the first subgraph of a tflite file, in the order of execution.

    Raises `BundleError` if the file is not a tflite file or is damaged.
    """
    data = path.read_bytes()
    if data[4:8] != _IDENTIFIER:
        raise BundleError(f"{path} is not a tflite file; make the bundle again")
    try:
        model = schema.Model.GetRootAs(data)
        names = [_operator_name(model.OperatorCodes(n)) for n in range(model.OperatorCodesLength())]
        graph = schema.SubGraphT.InitFromObj(model.Subgraphs(0))
        return tuple(_operation(item, names[item.opcodeIndex]) for item in graph.operators)
    except (struct.error, ValueError, IndexError, TypeError, AttributeError) as error:
        raise BundleError(
            f"{path} is damaged: its graph points outside the file ({error}); get the bundle again"
        ) from error


_OPERATOR_NAMES: Final[dict[int, str]] = {
    number: name for name, number in vars(schema.BuiltinOperator).items() if name.isupper()
}


def _operator_name(code: Any) -> str:
    # The older field is one byte; codes above 126 are in the newer one.
    number = max(code.DeprecatedBuiltinCode(), code.BuiltinCode())
    return _OPERATOR_NAMES.get(number, f"OP_{number}")


def _operation(operator: Any, name: str) -> Operation:
    options = operator.builtinOptions
    is_pooling = isinstance(options, schema.Pool2DOptionsT)
    return Operation(
        name=name,
        inputs=_indices(operator.inputs),
        outputs=_indices(operator.outputs),
        stride=(getattr(options, "strideH", 1), getattr(options, "strideW", 1)),
        window=(options.filterHeight, options.filterWidth) if is_pooling else None,
        dilation=getattr(options, "dilationHFactor", 1),
        same_padding=getattr(options, "padding", None) == schema.Padding.SAME,
        activation=_ACTIVATIONS.get(getattr(options, "fusedActivationFunction", None)),
    )


def _indices(vector: Any) -> tuple[int, ...]:
    return () if vector is None else tuple(map(int, vector))
