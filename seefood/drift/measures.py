"""What is measured of a picture, and the bins in which it is counted.

Every value is in the picture's row, so that a fingerprint can be made from rows at any time.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from seefood.records import Row


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of a picture and the scale on which it is counted."""

    of: Callable[[Row], float | None]
    edges: tuple[float, ...]
    """Ascending; a value equal to an edge is in the bin above it."""
    words: str
    """Completes "pictures with"."""
    unit: str = ""
    least_from_training: float | None = None
    """The smallest difference from training pictures, Cohen's h, that is a finding; None if they
    are not compared. Training sets are often shrunk copies, compressed anew, so their sizes say
    nothing, and small differences in sharpness and the like are usual."""
    only_below: float | None = None
    """If given, only more pictures below an edge up to this one are a finding in a comparison with
    training pictures."""
    weigh: Callable[[float], float] | None = None
    """Of a value, what the mean is compared of; None compares mean ranks, as Mann and Whitney do.
    For log odds, `exp` makes the test of the mean the most powerful one for a small share of
    pictures on the other side."""

    @property
    def weights(self) -> tuple[float, ...]:
        """Of each bin: `weigh` of its middle, and of its only edge for the outer ones."""
        if self.weigh is None:
            return tuple(map(float, range(len(self.edges) + 1)))
        inner = [(low + high) / 2 for low, high in pairwise(self.edges)]
        return tuple(map(self.weigh, (self.edges[0], *inner, self.edges[-1])))


@dataclass(frozen=True, slots=True)
class Category:
    """A name of a picture, such as its format."""

    of: Callable[[Row], str | None]
    words: str
    """Completes "pictures with"."""
    least_from_training: float | None = None


def _pixels(row: Row) -> float | None:
    return row.width * row.height / 1e6 if row.width and row.height else None


def _shape(row: Row) -> float | None:
    return row.width / row.height if row.width and row.height else None


def _bits(row: Row) -> float | None:
    return 8 * row.size_bytes / (row.width * row.height) if row.width and row.height else None


def _hundredths(*values: int) -> tuple[float, ...]:
    return tuple(value / 100 for value in values)


SCORE: Final = "score"
"""The measure that is counted for each label by itself."""
MEASURES: Final[Mapping[str, Measure]] = {
    SCORE: Measure(
        lambda row: row.score,
        (*_hundredths(30, 40, 50, 60, 70, 80, 86, 90, 93, 95, 97, 98, 99), 0.995, 0.999),
        "a score",
        least_from_training=0.18,
    ),
    "novelty": Measure(
        lambda row: row.novelty,
        _hundredths(30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 135, 150, 180, 220, 300),
        "a novelty",
        least_from_training=0.15,
    ),
    "megapixels": Measure(
        _pixels,
        (0.005, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 4, 8, 12, 20, 40),
        "a size",
        " megapixels",
    ),
    "shape": Measure(
        _shape,
        _hundredths(50, 65, 72, 79, 95, 106, 126, 140, 160, 200),
        "a width",
        " times their height",
    ),
    "bits per pixel": Measure(
        _bits,
        (0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 4, 6, 10, 20),
        "a file",
        " bits a pixel",
    ),
    "JPEG quality": Measure(
        lambda row: row.jpeg_quality,
        (10, 25, 40, 55, 70, 80, 88, 94, 98),
        "a JPEG quality",
        least_from_training=0.3,
        only_below=55,
    ),
    "brightness": Measure(
        lambda row: row.brightness,
        _hundredths(5, 12, 20, 28, 36, 44, 52, 60, 68, 76, 84, 92),
        "a brightness",
        least_from_training=0.5,
    ),
    "contrast": Measure(
        lambda row: row.contrast,
        _hundredths(4, 8, 12, 16, 20, 24, 28, 32, 36),
        "a contrast",
        least_from_training=0.5,
    ),
    "sharpness": Measure(
        lambda row: row.sharpness,
        (0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15),
        "a sharpness",
        least_from_training=0.5,
    ),
    "uprightness": Measure(
        lambda row: row.uprightness,
        tuple(value / 2 for value in range(-8, 9)),
        "an uprightness",
        least_from_training=0.15,
        weigh=lambda value: min(8.0, math.exp(-value)),
    ),
}
"""By name. The scales are part of `fingerprint.VERSION`."""

CATEGORIES: Final[Mapping[str, Category]] = {
    "label": Category(lambda row: row.label, "the label"),
    "format": Category(lambda row: row.format, "the format"),
    "failure": Category(
        lambda row: row.error_code if row.label is None else "none", "the failure", 0.1
    ),
}
