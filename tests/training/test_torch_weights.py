"""PyTorch's older weight files are read without executing their pickles."""

import pickle
import struct
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray

from seefood.errors import UsageError
from seefood_training.torch_weights import read_torch_weights

_MAGIC: Final = 0x1950A86A20F9469CFC6C
Tensors = dict[str, NDArray[np.float32]]


def write_torch_weights(file: Path, tensors: Tensors, *, function: str = "") -> None:
    """Write `tensors` as `torch.save` did before version 1.6; `function` rebuilds each."""
    with file.open("wb") as stream:
        for head in (_MAGIC, 1001, {"little_endian": True}):
            stream.write(pickle.dumps(head, protocol=2))
        stream.write(_state(tensors, function or "torch._utils\n_rebuild_tensor_v2"))
        stream.write(pickle.dumps([str(index) for index in range(len(tensors))], protocol=2))
        for tensor in tensors.values():
            stream.write(struct.pack("<q", tensor.size))
            stream.write(np.ascontiguousarray(tensor.T).tobytes())


def _state(tensors: Tensors, function: str) -> bytes:
    """Return the pickle of the dictionary; its tensors are transposed views of their storages."""
    out = BytesIO()
    out.write(b"\x80\x02}(")
    for index, (name, tensor) in enumerate(tensors.items()):
        strides = [step // 4 for step in np.ascontiguousarray(tensor.T).T.strides]
        out.write(_text(name) + f"c{function}\n((".encode() + _text("storage"))
        out.write(b"ctorch\nFloatStorage\n" + _text(str(index)) + _text("cpu"))
        out.write(_number(tensor.size) + b"NtQK\x00(")
        out.write(b"".join(map(_number, tensor.shape)) + b"t(")
        out.write(b"".join(map(_number, strides)) + b"t\x89}tR")
    out.write(b"u.")
    return out.getvalue()


def _text(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def _number(number: int) -> bytes:
    return b"J" + struct.pack("<i", number)


def test_transposed_tensor(tmp_path: Path) -> None:
    """A tensor that is stored transposed is read with its own axes."""
    written = {
        "kernel": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
        "bias": np.asarray([1.5, -2.5], np.float32),
    }
    write_torch_weights(tmp_path / "weights.pth", written)
    read = read_torch_weights(tmp_path / "weights.pth")
    assert list(written) == list(read)
    for name, tensor in written.items():
        np.testing.assert_array_equal(tensor, read[name])


def test_other_calls_are_refused_and_not_executed(tmp_path: Path) -> None:
    """A pickle that calls another function is refused, and nothing is called."""
    file = tmp_path / "weights.pth"
    tensors = {"bias": np.zeros(2, np.float32)}
    write_torch_weights(file, tensors, function="builtins\nexec")
    with pytest.raises(UsageError, match="its pickle calls builtins exec"):
        read_torch_weights(file)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04", "zip archive of PyTorch 1.6"),
        (b"\x89HDF\r\n", "is an HDF5 file"),
        (b"", "is not a PyTorch file"),
        (pickle.dumps({"a": 1}, protocol=2), "is not a PyTorch file"),
        (b"\x80\x02i__builtin__\nlen\n.", "instruction INST"),
    ],
)
def test_another_file(content: bytes, reason: str, tmp_path: Path) -> None:
    """The message has the file, the reason and the fix."""
    file = tmp_path / "weights.pth"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=reason) as caught:
        read_torch_weights(file)
    assert str(file) in str(caught.value)
    assert "_use_new_zipfile_serialization=False" in str(caught.value)


def test_tensor_larger_than_its_storage(tmp_path: Path) -> None:
    """A shape that is larger than the stored numbers is refused."""
    file = tmp_path / "weights.pth"
    write_torch_weights(file, {"bias": np.zeros(2, np.float32)})
    content: Any = file.read_bytes().replace(_number(2) + b"t(", _number(9) + b"t(")
    file.write_bytes(content)
    with pytest.raises(UsageError, match="reaches beyond its 2 numbers"):
        read_torch_weights(file)
