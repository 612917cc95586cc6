"""Arrow columns as NumPy arrays, without pandas.

Arrow's own conversion imports pandas where that is installed: 0.8 s of CPU and 40 MB.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


def numbers(column: "pa.Array", missing: float = 0) -> "NDArray[Any]":
    """Return a column of numbers or timestamps with `missing` where it is null; read-only.

    Timestamps are whole numbers of their unit since 1970.
    """
    import pyarrow as pa  # noqa: PLC0415

    _, data = column.buffers()
    kind = "f" if pa.types.is_floating(column.type) else "i"
    dtype = np.dtype(f"{kind}{column.type.bit_width // 8}")
    if data is None:
        return np.full(len(column), missing, dtype)
    stop = column.offset + len(column)
    values: NDArray[Any] = np.frombuffer(data, dtype, count=stop)[column.offset :]
    is_valid = _bits(column, 0)
    return values if is_valid is None else np.where(is_valid, values, dtype.type(missing))


def booleans(column: "pa.Array") -> "NDArray[np.bool_]":
    """Return a column of booleans; nulls are false."""
    values, is_valid = _bits(column, 1), _bits(column, 0)
    if values is None:
        return np.zeros(len(column), np.bool_)
    return values if is_valid is None else values & is_valid


def _bits(column: "pa.Array", buffer: int) -> "NDArray[np.bool_] | None":
    """Return a buffer of bits; None if it is absent. Buffer 0 says which values are not null."""
    bits = column.buffers()[buffer]
    if bits is None or (buffer == 0 and not column.null_count):
        return None
    stop = column.offset + len(column)
    unpacked = np.unpackbits(np.frombuffer(bits, np.uint8), count=stop, bitorder="little")
    return unpacked[column.offset :].astype(np.bool_)
