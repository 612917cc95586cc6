"""What each input range and each filter would answer, for the messages that ask for one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seefood.errors import UsageError
from seefood.imaging.resize_rule import Filter, ResizeRule
from seefood.synthetic import KINDS, draw_picture
from seefood_training.packaging.answers import Values
from seefood_training.packaging.examples import resized

_SHOWN: Final = 4
FILTERS_IN_USE: Final[dict[Filter, str]] = {
    "bilinear": "Pillow, torchvision",
    "tf-bilinear": "tf.image.resize, image_dataset_from_directory, OpenCV",
    "nearest": "Keras's load_img",
    "bicubic": "Pillow, timm",
    "lanczos": "Pillow",
}
"""The filters that people train with, and what uses them."""
_DRAWN: Final = ("hotdog_mustard", "pizza", "flower", "house")
_DRAWN_SIZE: Final = (400, 300)
_HARMLESS: Final = 0.01
"""Largest difference of a probability between filters for which none has to be asked for."""


class PixelsUnknownError(UsageError):
    """A pixel option is not stated; `table` shows what each would answer, to compare."""

    def __init__(self, message: str, table: str) -> None:
        super().__init__(message)
        self.table = table


def which_range(
    function: str,
    ranges: Sequence[str],
    images: NDArray[np.uint8],
    labels: Sequence[str],
    answer: Callable[[NDArray[np.uint8], str], Values],
) -> PixelsUnknownError:
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
    return PixelsUnknownError(
        f"{function} does not state the range of its pixels; say which with `--input-range` "
        f"({', '.join(ranges)}, or MEAN/STD), or prove it with `--examples FILE`",
        "\n".join(lines),
    )


def _cell(row: Any, labels: Sequence[str]) -> str:
    best = int(np.argmax(row))
    return f"{labels[best][:15]} {row[best]:.3f}"


@dataclass(frozen=True, slots=True)
class FilterEffect:
    """How much the answers to drawings depend on the filter."""

    differences: dict[Filter, float]
    """Of each filter, the largest difference of a probability from that of the first."""
    labels: dict[Filter, int]
    """Of each filter, how many drawings get another label than with the first."""

    @property
    def largest(self) -> float:
        """Return the largest difference of a probability, in [0, 1]."""
        return max(self.differences.values())

    @property
    def matters(self) -> bool:
        """Whether another filter gives other answers."""
        return self.largest > _HARMLESS


def filter_effect(rule: ResizeRule, answer: Callable[[NDArray[np.uint8]], Values]) -> FilterEffect:
    """Return how much the filter changes the answers to drawings, resized by `rule` but for it."""
    drawings = [_bitmap(kind) for kind in _DRAWN]
    answers = {
        kind: np.asarray(
            answer(np.stack([resized(each, replace(rule, filter=kind)) for each in drawings])),
            np.float64,
        )
        for kind in FILTERS_IN_USE
    }
    first = next(iter(answers.values()))
    best = first.argmax(axis=1)
    return FilterEffect(
        {kind: float(np.abs(each - first).max()) for kind, each in answers.items()},
        {kind: int((each.argmax(axis=1) != best).sum()) for kind, each in answers.items()},
    )


def which_filter(function: str, effect: FilterEffect) -> PixelsUnknownError:
    """Return the error that asks for `--filter` and shows what another one changes."""
    first = next(iter(FILTERS_IN_USE))
    lines = [f"{'filter':<12} {'differs from ' + first + ' by':<26} used by"]
    lines += [
        f"{kind:<12} {effect.differences[kind]:<7.3f} {effect.labels[kind]} of {len(_DRAWN)} labels"
        f"  {used_by}"
        for kind, used_by in FILTERS_IN_USE.items()
    ]
    return PixelsUnknownError(
        f"{function} does not state how its pictures were resized, and its probabilities depend on "
        f"it (by up to {effect.largest:.3f} on drawings); say which with `--filter` "
        f"({', '.join(FILTERS_IN_USE)}), or prove it with `--examples FILE`",
        "\n".join(lines),
    )


@cache
def _bitmap(kind: str) -> bytes:
    out = BytesIO()
    draw_picture(kind, 1, _DRAWN_SIZE).save(out, "BMP")
    return out.getvalue()
