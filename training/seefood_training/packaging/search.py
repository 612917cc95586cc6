"""Searches for the pixel options that reproduce known answers.

Not all combinations are run. First the ranges are compared, then the ways of resizing for the best
of them, then the ranges again, on a few pictures; last, the best combinations run on all pictures.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from seefood.imaging.resize_rule import FITS, Filter, Fit, ResizeRule
from seefood_training.packaging.answers import Values
from seefood_training.packaging.examples import Examples, resized, upright_copy
from seefood_training.packaging.input_ranges import (
    CAFFE_IN_RGB,
    GREY_RANGES,
    INPUT_RANGES,
    LESS_USUAL,
    parse_range,
)
from seefood_training.packaging.pixels import ChannelOrder, PixelChoice

SEARCHED_FILTERS: Final[tuple[Filter, ...]] = (
    "bilinear",
    "tf-bilinear",
    "nearest",
    "bicubic",
    "lanczos",
)
TOLERANCE: Final = 0.03
"""Largest difference of a probability that counts as reproduced."""
MIN_LABELS: Final = 0.8
"""The least share of labels that counts as reproduced, where no probabilities are known."""
_FIRST_PICTURES: Final = 8
_KEPT_RANGES: Final = 3
_FINALISTS: Final = 5
_EQUAL: Final = 0.002
"""A usual range is preferred to a less usual one that is better by no more than this."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One combination and how it did on the examples."""

    pixels: PixelChoice
    reproduced: int
    """How many pictures got the known label."""
    of: int
    largest_difference: float | None
    """Of a probability; None if only labels are known."""
    distance: float
    """Mean distance to the answers; smaller is better."""

    @property
    def succeeds(self) -> bool:
        """Whether the combination reproduces the answers."""
        if self.largest_difference is None:
            return self.reproduced >= MIN_LABELS * self.of
        return self.largest_difference <= TOLERANCE

    @property
    def order(self) -> tuple[float, ...]:
        """The key by which attempts are sorted, the best first."""
        unusual = parse_range(self.pixels.range or "") not in INPUT_RANGES.values()
        if self.largest_difference is None:
            return (-self.reproduced, self.distance)
        return (self.largest_difference + _EQUAL * unusual, self.distance)

    def as_json(self) -> dict[str, Any]:
        """Return what the record of a bundle and `--json` state."""
        return {
            "pixels": pixels_as_json(self.pixels),
            "reproduced": self.reproduced,
            "largest_difference": self.largest_difference,
        }


def pixels_as_json(pixels: PixelChoice) -> dict[str, str | None]:
    """Return the four choices by name."""
    return {
        "range": pixels.range,
        "filter": pixels.filter,
        "fit": pixels.fit,
        "channels": pixels.channels,
    }


@dataclass
class Search:
    """A search over what `stated` leaves open."""

    examples: Examples
    rule: ResizeRule
    """Gives the size and the channels."""
    stated: PixelChoice
    start: PixelChoice
    """Where the search begins: what the model tells, or the defaults."""
    answer: Callable[[NDArray[np.uint8], PixelChoice], Values]
    """From pictures of `(n, height, width, channels)` to probabilities of `(n, labels)`."""
    multi_label: bool = False
    _copies: list[bytes] = field(default_factory=list)
    _pixels: dict[tuple[str, str, int], NDArray[np.uint8]] = field(default_factory=dict)
    _attempts: dict[tuple[PixelChoice, int], Attempt] = field(default_factory=dict)

    def run(self) -> list[Attempt]:
        """Return the best combinations on all examples, the best first."""
        few = self._few()
        start = self.stated.or_else(self.start)
        ways = [(start.filter, start.fit)]
        kept = self._best_ranges([start.range], ways, few)
        ways = [(f, fit) for fit in self._fits() for f in self._filters()]
        tried = [
            self._attempt(replace(each.pixels, filter=f, fit=fit), few)
            for each in kept
            for f, fit in ways
        ]
        best = min(tried, key=lambda each: each.order)
        again = self._best_ranges([], [(best.pixels.filter, best.pixels.fit)], few)
        order = sorted((*tried, *again), key=self._preference)
        finalists = list(dict.fromkeys(each.pixels for each in order))[:_FINALISTS]
        final = [self._attempt(pixels, len(self.examples.items)) for pixels in finalists]
        return sorted(final, key=self._preference)

    def _preference(self, attempt: Attempt) -> tuple[float, ...]:
        """Return the order. Labels alone do not tell filters apart: the usual one comes first."""
        if self.examples.has_probabilities:
            return attempt.order
        start = self.stated.or_else(self.start)
        other = (attempt.pixels.filter != start.filter) + (attempt.pixels.fit != start.fit)
        return (-attempt.reproduced, other, attempt.distance)

    def _few(self) -> int:
        return min(_FIRST_PICTURES, len(self.examples.items))

    def _best_ranges(
        self, first: Sequence[str | None], ways: Iterable[tuple[Any, Any]], count: int
    ) -> list[Attempt]:
        tried = [
            self._attempt(PixelChoice(name, f, fit, channels), count)
            for f, fit in ways
            for name in self._ranges()
            for channels in self._channels(name)
        ]
        kept = sorted(tried, key=lambda each: each.order)[:_KEPT_RANGES]
        return kept + [each for each in tried if each.pixels.range in first and each not in kept]

    def _ranges(self) -> tuple[str, ...]:
        if self.stated.range is not None:
            return (self.stated.range,)
        if self.rule.channels == "grey":
            return (*GREY_RANGES, *(name for name in LESS_USUAL if "," not in name))
        return (*INPUT_RANGES, *LESS_USUAL)

    def _channels(self, name: str) -> tuple[ChannelOrder, ...]:
        if self.rule.channels == "grey":
            return ("grey",)
        if self.stated.channels is not None:
            return (self.stated.channels,)
        if parse_range(name).reverse:
            return ("bgr",)
        return ("rgb",) if name == CAFFE_IN_RGB else ("rgb", "bgr")

    def _filters(self) -> tuple[Filter, ...]:
        return (self.stated.filter,) if self.stated.filter else SEARCHED_FILTERS

    def _fits(self) -> tuple[Fit, ...]:
        return (self.stated.fit,) if self.stated.fit else FITS

    def _attempt(self, pixels: PixelChoice, count: int) -> Attempt:
        if (pixels, count) not in self._attempts:
            images = self._images(cast("Filter", pixels.filter), cast("Fit", pixels.fit), count)
            values = np.asarray(self.answer(images, pixels), np.float64)
            self._attempts[pixels, count] = self._compared(pixels, values, count)
        return self._attempts[pixels, count]

    def _compared(self, pixels: PixelChoice, values: NDArray[np.float64], count: int) -> Attempt:
        values = np.nan_to_num(values, nan=2.0)
        if self.examples.has_probabilities:
            known = self.examples.matrix()[:count]
            differences = np.abs(values - known)
            if self.multi_label:
                same = ((values >= 0.5) == (known >= 0.5)).all(axis=1)
            else:
                same = values.argmax(axis=1) == known.argmax(axis=1)
            return Attempt(
                pixels, int(same.sum()), count, float(differences.max()), float(differences.mean())
            )
        labels = np.array([each.label for each in self.examples.items[:count]])
        own = values[np.arange(count), labels]
        same = own >= 0.5 if self.multi_label else values.argmax(axis=1) == labels
        loss = -np.log(np.clip(own, 1e-9, 1)).mean()
        return Attempt(pixels, int(same.sum()), count, None, float(loss))

    def _images(self, kind: Filter, fit: Fit, count: int) -> NDArray[np.uint8]:
        if (kind, fit, count) not in self._pixels:
            if not self._copies:
                self._copies = [upright_copy(each) for each in self.examples.items]
            rule = replace(self.rule, filter=kind, fit=fit, scaled_decode=None)
            images = [resized(data, rule) for data in self._copies[:count]]
            self._pixels[kind, fit, count] = np.stack(images)
        return self._pixels[kind, fit, count]
