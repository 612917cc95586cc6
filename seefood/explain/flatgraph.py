"""Reads a tflite file's graph: which operations it has, with which strides, paddings, activations.

The interpreter tells tensors but not options, so the few tables needed are read from the file
itself. Field numbers are those of TensorFlow Lite's schema, version 3 (schema.fbs).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import flatbuffers
from flatbuffers import number_types as kinds
from flatbuffers.table import Table

from seefood.errors import BundleError

# BuiltinOperator, the ones that networks for pictures are made of.
_OPERATORS: Final = {
    0: "ADD",
    1: "AVERAGE_POOL_2D",
    2: "CONCATENATION",
    3: "CONV_2D",
    4: "DEPTHWISE_CONV_2D",
    6: "DEQUANTIZE",
    9: "FULLY_CONNECTED",
    13: "LOCAL_RESPONSE_NORMALIZATION",
    14: "LOGISTIC",
    17: "MAX_POOL_2D",
    18: "MUL",
    19: "RELU",
    21: "RELU6",
    22: "RESHAPE",
    25: "SOFTMAX",
    28: "TANH",
    34: "PAD",
    40: "MEAN",
    41: "SUB",
    42: "DIV",
    53: "CAST",
    114: "QUANTIZE",
    117: "HARD_SWISH",
}
_ACTIVATIONS: Final = {1: "relu", 2: "relu_n1_to_1", 3: "relu6", 4: "tanh"}
# Where an operation's option table keeps what is asked for: padding, strides, activation, ...
_OPTION_FIELDS: Final[dict[str, dict[str, int]]] = {
    "CONV_2D": {"padding": 0, "stride_w": 1, "stride_h": 2, "activation": 3, "dilation_h": 5},
    "DEPTHWISE_CONV_2D": {
        "padding": 0,
        "stride_w": 1,
        "stride_h": 2,
        "activation": 4,
        "dilation_h": 6,
    },
    "AVERAGE_POOL_2D": {
        "padding": 0,
        "stride_w": 1,
        "stride_h": 2,
        "filter_w": 3,
        "filter_h": 4,
        "activation": 5,
    },
    "MAX_POOL_2D": {
        "padding": 0,
        "stride_w": 1,
        "stride_h": 2,
        "filter_w": 3,
        "filter_h": 4,
        "activation": 5,
    },
    "FULLY_CONNECTED": {"activation": 0},
    "ADD": {"activation": 0},
}
_BYTE_OPTIONS: Final = frozenset({"padding", "activation"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the graph, in the order of execution."""

    name: str
    """As TensorFlow Lite calls it; `OP_<n>` for one that is not known here."""
    inputs: tuple[int, ...]
    """Indices of tensors; -1 where an optional one is absent."""
    outputs: tuple[int, ...]
    stride: tuple[int, int] = (1, 1)
    """(vertical, horizontal)."""
    window: tuple[int, int] | None = None
    """Of a pooling: (height, width)."""
    dilation: int = 1
    same_padding: bool = False
    activation: str | None = None
    """What is applied to the result at once: `relu`, `relu6`, `tanh`, ..."""


def read_operations(path: Path) -> tuple[Operation, ...]:
    """Return the operations of the first subgraph of the tflite file at `path`.

    Raises `BundleError` if the file is no tflite graph.
    """
    data = path.read_bytes()
    if data[4:8] != b"TFL3":
        raise BundleError(f"{path} is no tflite file; make the bundle again")
    try:
        model = Table(data, flatbuffers.encode.Get(kinds.UOffsetTFlags.packer_type, data, 0))
        names = [_operator_name(code) for code in _tables(model, 1)]
        (graph,) = list(_tables(model, 2))[:1]
        return tuple(_operation(table, names) for table in _tables(graph, 3))
    except (struct.error, ValueError, IndexError, TypeError) as error:  # offsets to nowhere
        raise BundleError(
            f"{path} is damaged: its graph points outside itself ({error}); get the bundle again"
        ) from error


def _operator_name(code: Table) -> str:
    # The old field is one byte; codes above 126 stand in the new one.
    number = max(
        _scalar(code, 0, kinds.Int8Flags, 0),
        _scalar(code, 3, kinds.Int32Flags, 0),
    )
    return _OPERATORS.get(number, f"OP_{number}")


def _operation(table: Table, names: list[str]) -> Operation:
    name = names[_scalar(table, 0, kinds.Uint32Flags, 0)]
    options = _options(table, name)
    window = (options["filter_h"], options["filter_w"]) if "filter_h" in options else None
    return Operation(
        name=name,
        inputs=tuple(_integers(table, 1)),
        outputs=tuple(_integers(table, 2)),
        stride=(options.get("stride_h", 1), options.get("stride_w", 1)),
        window=window,
        dilation=options.get("dilation_h", 1) or 1,
        same_padding=options.get("padding", 1) == 0,
        activation=_ACTIVATIONS.get(options.get("activation", 0)),
    )


def _options(table: Table, name: str) -> dict[str, int]:
    places = _OPTION_FIELDS.get(name)
    offset = table.Offset(_slot(4))
    if places is None or offset == 0:
        return {}
    options = Table(table.Bytes, 0)
    table.Union(options, offset)
    return {
        key: _scalar(
            options, place, kinds.Int8Flags if key in _BYTE_OPTIONS else kinds.Int32Flags, 0
        )
        for key, place in places.items()
    }


def _slot(number: int) -> int:
    """Return where a field's offset stands in a table's vtable."""
    return 4 + 2 * number


def _scalar(table: Table, number: int, kind: Any, default: int) -> int:
    offset = table.Offset(_slot(number))
    return default if offset == 0 else int(table.Get(kind, table.Pos + offset))


def _integers(table: Table, number: int) -> Iterator[int]:
    offset = table.Offset(_slot(number))
    if offset:
        start = table.Vector(offset)
        for index in range(table.VectorLen(offset)):
            yield int(table.Get(kinds.Int32Flags, start + 4 * index))


def _tables(table: Table, number: int) -> Iterator[Table]:
    offset = table.Offset(_slot(number))
    if offset:
        start = table.Vector(offset)
        for index in range(table.VectorLen(offset)):
            yield Table(table.Bytes, table.Indirect(start + 4 * index))
