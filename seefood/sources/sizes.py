"""Sizes in bytes, as lists write them."""

import math
from typing import Any, Final

_MAX_SIZE_BYTES: Final = 2**63 - 1


def parse_size(value: Any) -> int:
    """Return a size in bytes from a list; 0 if it gives none. Raises `ValueError`.

    A data frame with a gap writes its integers as `14834.0`, and the gap as `nan` or nothing.
    """
    if value is None or value == "":
        return 0
    try:
        size = int(value)
        if isinstance(value, float) and value != size:
            raise ValueError(f"a size of {value}")
    except (ValueError, TypeError, OverflowError):
        number = float(value) if isinstance(value, str | float) else math.inf
        if math.isnan(number):
            return 0
        if not number.is_integer():
            raise ValueError(f"a size of {value}") from None
        size = int(number)
    if not 0 <= size <= _MAX_SIZE_BYTES:
        raise ValueError(f"an object of {value} bytes")
    return size
