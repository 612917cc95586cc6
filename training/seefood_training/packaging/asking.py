"""What each input range would answer, for the message that asks for one."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seefood.errors import UsageError
from seefood.synthetic import KINDS
from seefood_training.packaging.answers import Values

_SHOWN: int = 4


class RangeUnknownError(UsageError):
    """The range is not stated; `table` shows what each would answer, for a person to compare."""

    def __init__(self, message: str, table: str) -> None:
        super().__init__(message)
        self.table = table


def which_range(
    function: str,
    ranges: Sequence[str],
    images: NDArray[np.uint8],
    labels: Sequence[str],
    answer: Callable[[NDArray[np.uint8], str], Values],
) -> RangeUnknownError:
    """Return the error that asks for `--input-range` and shows what each would answer.

    `images` are drawings of `KINDS`, in that order, in the network's size.
    """
    lines = [f"{'range':<9} {'varies by':>9}  " + "  ".join(f"{k:<22}" for k in KINDS[:_SHOWN])]
    for name in ranges:
        values = np.asarray(answer(images[: len(KINDS)], name), np.float64)
        if not np.isfinite(values).all():
            lines.append(f"{name:<9} returns NaN or infinity")
            continue
        varies = float(np.ptp(values, axis=0).max())
        cells = [_cell(row, labels) for row in values[:_SHOWN]]
        lines.append(f"{name:<9} {varies:>9.3f}  " + "  ".join(f"{c:<22}" for c in cells))
    return RangeUnknownError(
        f"{function} does not state the range of its pixels; say which with `--input-range` "
        f"({', '.join(ranges)}, or MEAN/STD), or prove it with `--examples FILE`",
        "\n".join(lines),
    )


def _cell(row: Any, labels: Sequence[str]) -> str:
    best = int(np.argmax(row))
    return f"{labels[best][:15]} {row[best]:.3f}"
