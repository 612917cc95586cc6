"""Reads a PyTorch file of weights without PyTorch and without executing its pickles.

PyTorch's format before version 1.6 is five pickles followed by the raw numbers. A pickle is a
program. This module interprets only the instructions that a dictionary of tensors needs, and
refuses any other.
"""

import pickletools
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seefood.errors import UsageError

_MAGIC: Final = 0x1950A86A20F9469CFC6C
_DTYPES: Final = {"torch FloatStorage": "<f4", "torch LongStorage": "<i8"}
_OTHER_FORMATS: Final = {
    b"\x89HDF": "it is an HDF5 file, as Keras writes them",
    b"PK": "it is the zip archive of PyTorch 1.6 and later",
}
"""Files that are given by mistake, by their first bytes."""
_MARK: Final = object()
_IGNORED: Final = frozenset({"PROTO", "STOP"})
_LITERALS: Final = frozenset({"BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1", "GLOBAL"})
_NEW: Final[dict[str, Callable[[], Any]]] = {
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "MARK": lambda: _MARK,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "NONE": lambda: None,
}
_TUPLES: Final = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@dataclass(frozen=True, slots=True)
class _Call:
    """A call in the pickle, which is not executed."""

    function: str
    arguments: Any


def read_torch_weights(file: Path) -> dict[str, NDArray[Any]]:
    """Return the tensors of `file` by name, with PyTorch's order of axes.

    `file` is a `state_dict` in the format of `torch.save` before version 1.6 (no zip archive).
    Raises `UsageError` for any other file.
    """
    content = file.read_bytes()
    try:
        _check_start(content)
        at, parts = 0, []
        for _ in range(5):
            value, at = _read_pickle(content, at)
            parts.append(value)
        magic, _, _, tensors, keys = parts
        if magic != _MAGIC:
            raise ValueError("it does not begin with PyTorch's magic number")
        storages = _read_storages(content, at, keys, _dtypes(tensors))
        return {name: _tensor(call, storages) for name, call in tensors.items()}
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, struct.error) as error:
        raise UsageError(
            f"{file} is not a PyTorch file of weights in the format before version 1.6 ({error}); "
            "save the `state_dict` with `_use_new_zipfile_serialization=False`"
        ) from error


def _check_start(content: bytes) -> None:
    """Raise `ValueError` for a file that does not begin as a pickle."""
    for signature, cause in _OTHER_FORMATS.items():
        if content.startswith(signature):
            raise ValueError(cause)
    if not content.startswith(b"\x80"):
        raise ValueError("it does not begin with PyTorch's magic number")


def _read_pickle(content: bytes, start: int) -> tuple[Any, int]:
    """Return the value of the pickle at `start`, and the offset of its end."""
    stack: list[Any] = []
    memo: dict[Any, Any] = {}
    end = start
    for opcode, argument, position in pickletools.genops(content[start:]):
        name = opcode.name
        if name in ("BINPUT", "LONG_BINPUT"):
            memo[argument] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name not in _IGNORED:
            _apply(name, argument, stack)
        end = start + (position or 0) + 1
    return stack[-1], end


def _apply(name: str, argument: Any, stack: list[Any]) -> None:
    """Apply the instruction `name` to `stack`; calls become `_Call`."""
    if name in _LITERALS:
        stack.append(argument)
    elif name in _NEW:
        stack.append(_NEW[name]())
    elif name in _TUPLES:
        count = _TUPLES[name]
        stack[-count:] = [tuple(stack[-count:])]
    else:
        _apply_to_stack(name, stack)


def _apply_to_stack(name: str, stack: list[Any]) -> None:
    match name:
        case "TUPLE":
            stack.append(tuple(_above_mark(stack)))
        case "APPEND":
            item = stack.pop()
            stack[-1].append(item)
        case "APPENDS":
            items = _above_mark(stack)
            stack[-1].extend(items)
        case "SETITEM":
            value, key = stack.pop(), stack.pop()
            stack[-1][key] = value
        case "SETITEMS":
            items = _above_mark(stack)
            stack[-1].update(zip(items[::2], items[1::2], strict=True))
        case "BINPERSID":
            stack.append(_Call("storage", stack.pop()))
        case "REDUCE":
            arguments, function = stack.pop(), stack.pop()
            is_ordered = function == "collections OrderedDict"
            stack.append({} if is_ordered else _Call(function, arguments))
        case "BUILD":
            stack.pop()
        case _:
            raise ValueError(f"its pickle has the instruction {name}")


def _above_mark(stack: list[Any]) -> list[Any]:
    """Remove the last mark and the items above it from `stack`; return the items."""
    mark = len(stack) - 1 - next(i for i, it in enumerate(reversed(stack)) if it is _MARK)
    items = stack[mark + 1 :]
    del stack[mark:]
    return items


def _dtypes(tensors: dict[str, _Call]) -> dict[str, str]:
    """Return the NumPy type of each storage, by its key."""
    storages = [call.arguments[0].arguments for call in tensors.values()]
    return {key: _DTYPES[kind] for _, kind, key, *_ in storages}


def _read_storages(
    content: bytes, at: int, keys: list[str], dtypes: dict[str, str]
) -> dict[str, NDArray[Any]]:
    """Return the numbers after the pickles: for each key an 8-byte count and the numbers."""
    storages = {}
    for key in keys:
        (count,) = struct.unpack_from("<q", content, at)
        storages[key] = np.frombuffer(content, dtypes[key], count, at + 8)
        at += 8 + storages[key].nbytes
    return storages


def _tensor(call: _Call, storages: dict[str, NDArray[Any]]) -> NDArray[Any]:
    """Return a tensor as a view of its storage; its strides may be in any order."""
    if call.function != "torch._utils _rebuild_tensor_v2":
        raise ValueError(f"its pickle calls {call.function}")
    storage, offset, shape, steps, *_ = call.arguments
    values = storages[storage.arguments[2]]
    last = offset + sum((size - 1) * step for size, step in zip(shape, steps, strict=True))
    if not 0 <= offset <= last < len(values) or min(steps, default=0) < 0:
        raise ValueError(f"a tensor of shape {shape} reaches beyond its {len(values)} numbers")
    strides = [step * values.itemsize for step in steps]
    return np.lib.stride_tricks.as_strided(values[offset:], shape, strides, writeable=False)
