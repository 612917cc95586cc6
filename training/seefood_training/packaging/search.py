"""Searches for the pixel options that reproduce known answers.

Not all combinations are run. First the ranges are compared, then the ways of resizing for the best
of them, then the ranges again, on a few pictures; last, the best combinations run on all pictures.
Where a combination is as good as rounding allows, the others of its kind are not tried.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

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
_CROPS: Final[tuple[tuple[Fit, float], ...]] = (
    ("stretch", 1.0),
    ("crop", 1.0),
    ("crop", 0.875),
    ("pad", 1.0),
)
"""The fits that are compared, with the share of each side that a crop keeps: 0.875 is
torchvision's `Resize(256)` before `CenterCrop(224)`."""
_OTHER_SHARES: Final = (0.8, 0.9, 0.95)
"""Shares that are tried where a crop proved best."""
TOLERANCE: Final = 0.03
"""Largest difference of a probability that counts as reproduced."""
MIN_LABELS: Final = 0.8
"""The least share of labels that counts as reproduced, where no probabilities are known."""
_FIRST_PICTURES: Final = 4
"""Where each has its probabilities. A label says less, so three times as many are compared."""
_KEPT_RANGES: Final = 3
_FINALISTS: Final = 5
_EXACT: Final = 0.005
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
    def is_exact(self) -> bool:
        """Whether the answers differ by no more than the rounding of pixels explains."""
        return self.largest_difference is not None and self.largest_difference <= _EXACT

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


def pixels_as_json(pixels: PixelChoice) -> dict[str, str | float | None]:
    """Return the choices by name; the share of a crop only if it is not the whole."""
    document: dict[str, str | float | None] = {
        "range": pixels.range,
        "filter": pixels.filter,
        "fit": pixels.fit,
        "channels": pixels.channels,
    }
    if pixels.fit == "crop" and pixels.crop_share not in {None, 1.0}:
        document["crop_share"] = pixels.crop_share
    return document


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
    _pixels: dict[tuple[PixelChoice, int], NDArray[np.uint8]] = field(default_factory=dict)
    _attempts: dict[tuple[PixelChoice, int], Attempt] = field(default_factory=dict)

    def run(self) -> list[Attempt]:
        """Return the best combinations on all examples, the best first."""
        few = self._few()
        start = self.stated.or_else(self.start)
        kept = self._best_ranges([start.range], start, few)
        tried: list[Attempt] = []
        for each in kept:
            tried += self._ways(each.pixels, few)
            if any(attempt.is_exact for attempt in tried):
                break
        best = min(tried, key=lambda each: each.order)
        tried += [
            self._attempt(replace(best.pixels, crop_share=share), few)
            for share in self._other_shares(best)
        ]
        best = min(tried, key=lambda each: each.order)
        again = [] if best.is_exact else self._best_ranges([], best.pixels, few)
        order = sorted((*tried, *again), key=self._preference)
        finalists = list(dict.fromkeys(each.pixels for each in order))[:_FINALISTS]
        final = [self._attempt(pixels, len(self.examples.items)) for pixels in finalists]
        return sorted(final, key=self._preference)

    def _preference(self, attempt: Attempt) -> tuple[float, ...]:
        """Return the order. Labels alone do not tell filters apart: the usual one comes first."""
        if self.examples.has_probabilities:
            return attempt.order
        start = self.stated.or_else(self.start)
        other = (
            (attempt.pixels.filter != start.filter)
            + (attempt.pixels.fit != start.fit)
            + (attempt.pixels.crop_share != start.crop_share)
        )
        return (-attempt.reproduced, other, attempt.distance)

    def _few(self) -> int:
        wanted = _FIRST_PICTURES * (1 if self.examples.has_probabilities else 3)
        return min(wanted, len(self.examples.items))

    def _ways(self, pixels: PixelChoice, count: int) -> list[Attempt]:
        """Return the attempts with each way of resizing, the other choices being `pixels`."""
        return [
            self._attempt(
                replace(pixels, filter=kind, fit=fit, crop_share=share if share < 1 else None),
                count,
            )
            for fit, share in self._fits()
            for kind in self._filters()
        ]

    def _best_ranges(
        self, first: Sequence[str | None], way: PixelChoice, count: int
    ) -> list[Attempt]:
        tried = [
            self._attempt(replace(way, range=name, channels=channels), count)
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

    def _fits(self) -> tuple[tuple[Fit, float], ...]:
        """Return the fits to compare, with the share that each keeps."""
        stated, share = self.stated.fit, self.stated.crop_share
        if stated and (stated != "crop" or share):
            return ((stated, share or 1.0),)
        if share:
            return tuple((fit, share if fit == "crop" else 1.0) for fit in FITS)
        return tuple(each for each in _CROPS if stated in {None, each[0]})

    def _other_shares(self, best: Attempt) -> tuple[float, ...]:
        is_open = best.pixels.fit == "crop" and self.stated.crop_share is None
        return _OTHER_SHARES if is_open and not best.is_exact else ()

    def _attempt(self, pixels: PixelChoice, count: int) -> Attempt:
        if (pixels, count) not in self._attempts:
            images = self._images(pixels, count)
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

    def _images(self, pixels: PixelChoice, count: int) -> NDArray[np.uint8]:
        way = replace(pixels, range=None, channels=None), count
        if way not in self._pixels:
            if not self._copies:
                self._copies = [upright_copy(each) for each in self.examples.items]
            rule = replace(
                self.rule,
                filter=pixels.filter or "bilinear",
                fit=pixels.fit or "stretch",
                crop_share=pixels.crop_share or 1.0,
                scaled_decode=None,
            )
            self._pixels[way] = np.stack([resized(data, rule) for data in self._copies[:count]])
        return self._pixels[way]
