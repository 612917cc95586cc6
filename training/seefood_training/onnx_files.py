"""Reads from an ONNX file what computes its tensors, and in which other files its weights are.

`torch.onnx.export` writes large weights, and since PyTorch 2.9 all of them, to a file beside the
graph. The names are found by reading the fields of the protocol buffer that lead to them
(onnx.proto3: ModelProto.graph, GraphProto.node and initializer, TensorProto.external_data), so the
`onnx` package is not needed.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from seefood.errors import UsageError

_GRAPH: Final = 7
_NODE: Final = 1
_NODE_INPUT: Final = 1
_NODE_OUTPUT: Final = 2
_OPERATION: Final = 4
_INITIALIZER: Final = 5
_EXTERNAL_DATA: Final = 13
_KEY: Final = 1
_VALUE: Final = 2
_VARINT: Final = 0
_FIXED64: Final = 1
_BYTES: Final = 2
_FIXED32: Final = 5


def external_files(source: Path) -> tuple[str, ...]:
    """Return the names of the files beside `source` that hold its weights, relative to it.

    Raises `UsageError` if `source` cannot be read or is not ONNX, or if such a file is missing or
    outside the folder of `source`.
    """
    try:
        data = memoryview(source.read_bytes())
        names = sorted(set(_locations(data)))
    except OSError as error:
        raise UsageError(f"{source} cannot be read: {error}") from error
    except (IndexError, ValueError) as error:
        raise UsageError(f"{source} is damaged or not an ONNX file; export it again") from error
    for name in names:
        parts = PurePosixPath(name).parts
        if not parts or ".." in parts or name.startswith("/") or "\\" in name:
            raise UsageError(
                f"{source} keeps weights in {name!r}, outside its folder; export it again with all "
                "weights in one file (`external_data=False`)"
            )
        if not (source.parent / name).is_file():
            raise UsageError(
                f"{source} keeps its weights in {name}, which is not beside it; copy that file "
                "too, or export the model again with `external_data=False`"
            )
    return tuple(names)


def producers(source: Path) -> dict[str, tuple[str, str | None]]:
    """Return of each tensor the operation that computes it, and the first tensor that this takes.

    `source` is one that `external_files` accepts.
    """
    found = {}
    for graph in _messages(memoryview(source.read_bytes()), _GRAPH):
        for node in _messages(graph, _NODE):
            inputs, outputs, names = (
                [bytes(each).decode() for each in _messages(node, field)]
                for field in (_NODE_INPUT, _NODE_OUTPUT, _OPERATION)
            )
            for output in outputs:
                found[output] = "".join(names), next(iter(inputs), None)
    return found


def _locations(model: memoryview) -> Iterator[str]:
    for graph in _messages(model, _GRAPH):
        for tensor in _messages(graph, _INITIALIZER):
            for entry in _messages(tensor, _EXTERNAL_DATA):
                key, value = (b"".join(_messages(entry, field)) for field in (_KEY, _VALUE))
                if key == b"location":
                    yield value.decode()


def _messages(data: memoryview, wanted: int) -> Iterator[memoryview]:
    """Yield the fields `wanted` of a message that have a length. Raises if it is malformed."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == _VARINT:
            _, at = _varint(data, at)
        elif kind in (_FIXED32, _FIXED64):
            at += 8 if kind == _FIXED64 else 4
        elif kind == _BYTES:
            length, at = _varint(data, at)
            if at + length > len(data):
                message = "a field ends after its message"
                raise ValueError(message)
            if tag >> 3 == wanted:
                yield data[at : at + length]
            at += length
        else:
            message = f"an unknown wire type {kind}"
            raise ValueError(message)


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """Return the number at `at` and the position after it."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            message = "a number of more than 64 bits"
            raise ValueError(message)
