"""Converts samples of any type to 8 bits, by the range that their type or their values state.

A type whose range is not stated anywhere (32-bit integers, floating point) is read by its values
only where they leave one reading; otherwise the picture is refused.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seefood.errors import ErrorCode, PictureError

Scale = Callable[[NDArray[Any]], NDArray[np.uint8]]
"""From samples to values in [0, 255]."""

_OVERSHOOT: Final = 1.05
"""Resampling puts values slightly above 1."""
_DIMMEST: Final = 16.0
"""A picture whose brightest value is below this, of 255, shows nothing."""


def byte_scale(
    strips: Iterable[NDArray[Any]], bits: int, *, is_float: bool = False, is_signed: bool = False
) -> Scale:
    """Return how samples of `bits` bits become 8-bit values; `strips` are all samples.

    Raises `PictureError` if the range cannot be known.
    """
    if is_float:
        return _float_scale(strips)
    if bits == 32:
        return _wide_scale(strips, is_signed=is_signed)
    if bits < 8:
        top = (1 << bits) - 1
        return lambda samples: (samples.astype(np.uint16) * 255 // top).astype(np.uint8)
    return lambda samples: (samples >> (bits - 8)).astype(np.uint8)


def _float_scale(strips: Iterable[NDArray[Any]]) -> Scale:
    top = max((float(_finite(strip).max(initial=0.0)) for strip in strips), default=0.0)
    if top <= _OVERSHOOT:
        factor = 255.0
    elif _DIMMEST <= top < 256.0:
        factor = 1.0
    else:
        raise _no_range(f"floating point samples up to {top:.6g}", "0 to 1 or 0 to 255")
    return lambda samples: np.clip(_finite(samples) * factor, 0.0, 255.0).astype(np.uint8)


def _wide_scale(strips: Iterable[NDArray[Any]], *, is_signed: bool) -> Scale:
    """32-bit integers: 16-bit values, as programs without a 16-bit type store them, or all bits."""
    low, top = 0, 0
    for strip in strips:
        values = strip.view(strip.dtype.str.replace("u", "i")) if is_signed else strip
        low, top = min(low, int(values.min())), max(top, int(values.max()))
    if low == 0 and (top == 0 or 256 <= top < 1 << 16):
        return lambda samples: (samples >> 8).astype(np.uint8)
    if not is_signed and top >= 1 << 24:
        return lambda samples: (samples >> 24).astype(np.uint8)
    raise _no_range(f"32-bit samples from {low} to {top}", "0 to 65535 or all of 32 bits")


def _finite(samples: NDArray[Any]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        values = samples.astype(np.float32)
    return np.nan_to_num(values, copy=False, nan=0.0, posinf=0.0, neginf=0.0)


def _no_range(seen: str, ranges: str) -> PictureError:
    return PictureError(
        ErrorCode.UNSUPPORTED_FORMAT,
        f"{seen} are neither in {ranges}, so black and white are not known; convert it to 8 bits",
    )
