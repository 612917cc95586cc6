"""Makes a further tensor of a graph an output, in the bytes of its file.

So one pass through the network gives probabilities and features, and the file in the bundle stays
as it is: its digest, and with it the rows, do not change.
"""

import struct
from typing import Final

_SUBGRAPHS: Final = 2
"""The number of the field in the table `Model` (TensorFlow Lite's schema.fbs)."""
_OUTPUTS: Final = 2
"""The same in the table `SubGraph`."""
_GRAPH: Final = 7
"""The number of `ModelProto.graph` (onnx.proto3), of type `GraphProto`."""
_GRAPH_OUTPUT: Final = 12
"""The number of `GraphProto.output`, of type `ValueInfoProto`."""
_NAME: Final = 1
"""The number of `ValueInfoProto.name`."""
_LENGTH_DELIMITED: Final = 2


def with_litert_output(flat: bytes, tensor: int) -> bytes:
    """Return the tflite file `flat` with the tensor of this index as its last output.

    A longer list of outputs is appended, and the offset of the old list is changed: FlatBuffers'
    offsets may point anywhere behind themselves. Raises `ValueError` for a file without outputs.
    """
    data = bytearray(flat)
    try:
        model = _follow(data, 0)
        graph = _follow(data, _follow(data, _field(data, model, _SUBGRAPHS)) + 4)
        field = _field(data, graph, _OUTPUTS)
        outputs = _follow(data, field)
        (count,) = struct.unpack_from("<I", data, outputs)
        indices = struct.unpack_from(f"<{count}i", data, outputs + 4)
        data += bytes(-len(data) % 4)
        struct.pack_into("<I", data, field, len(data) - field)
        data += struct.pack(f"<I{count + 1}i", count + 1, *indices, tensor)
    except struct.error as error:
        raise ValueError("it is no tflite file") from error
    return bytes(data)


def with_onnx_output(model: bytes, tensor: str) -> bytes:
    """Return the ONNX file `model` with the tensor of this name as its last output.

    A message that occurs twice in a protocol buffer is merged, and lists are joined (Protocol
    Buffers Encoding, "Last One Wins"), so a graph with nothing but an output is appended.
    """
    name = _message(_NAME, tensor.encode())
    return model + _message(_GRAPH, _message(_GRAPH_OUTPUT, name))


def _follow(data: bytearray, at: int) -> int:
    """Return where the offset at `at` points."""
    return int(at + struct.unpack_from("<I", data, at)[0])


def _field(data: bytearray, table: int, number: int) -> int:
    """Return where a table's field is. Raises `ValueError` if it is absent."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    (size,) = struct.unpack_from("<H", data, vtable)
    slot = 4 + 2 * number
    offset = struct.unpack_from("<H", data, vtable + slot)[0] if slot < size else 0
    if not offset:
        raise ValueError("it is no tflite file with outputs")
    return int(table + offset)


def _message(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    groups = []
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])
