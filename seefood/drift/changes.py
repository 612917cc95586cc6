"""What differs between two fingerprints by more than chance and by enough to matter."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

from seefood.drift.fingerprint import SCORES, Fingerprint, measure_of
from seefood.drift.measures import CATEGORIES
from seefood.drift.two_samples import Share, chance, chance_of_means, dispersion_of, effect

FALSE_ALARMS: Final = 0.001
"""Bound on the probability that a run is called changed that is drawn as the earlier ones were."""
MIN_PICTURES: Final = 200
"""Of each side of a comparison of a measure."""
LEAST_EFFECT: Final = 0.07
"""Smaller differences from earlier runs than this Cohen's h do not matter, however certain."""
_LABELS: Final = 5
"""So many labels' scores are compared, the most frequent ones: each further test costs power."""


@dataclass(frozen=True, slots=True)
class Change:
    """A share of the pictures that differs from what it was."""

    name: str
    """Of the measure or category."""
    above: float | str
    """The share is of the pictures with a value of at least this, or of exactly this name."""
    before: Share
    now: Share
    p_value: float
    """Of the test that found it, before the correction for the number of tests."""

    @property
    def effect(self) -> float:
        """Cohen's h: positive if the share has grown."""
        return effect(self.before, self.now)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a run is compared with what was before it."""

    before: Fingerprint
    """The sum of `parts`."""
    parts: Sequence[Fingerprint] = ()
    """The earlier runs: what varies among them is no change."""
    is_training: bool = False
    """Whether `before` is of training pictures. Then only what has a `least_from_training` is
    compared: not the shares of labels, for instance, which are as the trainer chose."""


def find_changes(now: Fingerprint, how: Comparison) -> list[Change]:
    """Return what has changed, the clearest first: at most one change of each measure or name.

    If `now` is drawn as `how.before` was, the list is empty with a probability of at least
    `1 - FALSE_ALARMS`.
    """
    tested = [*_numbers(now, how), *_names(now, how)]
    tests = sum(count for count, _ in tested)
    found = [
        change
        for _, change in tested
        if change.p_value * tests <= FALSE_ALARMS and _matters(change, how)
    ]
    return sorted(found, key=lambda change: (change.p_value, -abs(change.effect), change.name))


def _matters(change: Change, how: Comparison) -> bool:
    if not how.is_training:
        return abs(change.effect) >= LEAST_EFFECT
    kind = CATEGORIES.get(change.name) or measure_of(change.name)
    least = kind.least_from_training
    return least is not None and abs(change.effect) >= least


def _numbers(now: Fingerprint, how: Comparison) -> list[tuple[int, Change]]:
    """Return each measure's number of tests and its clearest difference."""
    tested = []
    for name in _compared(now, how):
        measure = measure_of(name)
        earlier = [part.numbers[name] for part in how.parts if any(part.numbers.get(name, ()))]
        varied = [_shares_above(bins) for bins in earlier]
        shares = zip(
            measure.edges,
            _shares_above(how.before.numbers[name]),
            _shares_above(now.numbers[name]),
            strict=True,
        )
        is_one_sided = how.is_training and measure.only_below is not None
        changes, most_varied = [], 1.0
        for at, (edge, before, after) in enumerate(shares):
            if is_one_sided and (edge > (measure.only_below or 0) or after.value > before.value):
                continue
            if 0 < before.count + after.count < before.total + after.total:
                spread = dispersion_of([each[at] for each in varied])
                most_varied = max(most_varied, spread)
                p_value = chance(before, after, spread)
                changes.append(Change(name, edge, before, after, p_value))
        if not changes:
            continue
        best = min(changes, key=lambda change: (change.p_value, -abs(change.effect)))
        p_value = chance_of_means(
            how.before.numbers[name], now.numbers[name], measure.weights, most_varied
        )
        if p_value < best.p_value and not is_one_sided:
            widest = max(changes, key=lambda change: abs(change.effect))
            best = replace(widest, p_value=p_value)
        tested.append((len(changes) + 1, best))
    return tested


def _compared(now: Fingerprint, how: Comparison) -> list[str]:
    """Return the names of the histograms that both sides have enough pictures in."""
    enough = [
        name
        for name in sorted(now.numbers)
        if min(now.total(name), how.before.total(name)) >= MIN_PICTURES
        and not (how.is_training and measure_of(name).least_from_training is None)
    ]
    scores = [name for name in enough if name.startswith(SCORES)]
    kept = sorted(scores, key=lambda name: -how.before.total(name))[:_LABELS]
    return [name for name in enough if name in kept or name not in scores]


def _names(now: Fingerprint, how: Comparison) -> list[tuple[int, Change]]:
    tested = []
    for name, category in CATEGORIES.items():
        before, after = how.before.names.get(name, {}), now.names.get(name, {})
        totals = sum(before.values()), sum(after.values())
        if min(totals) < MIN_PICTURES or (how.is_training and category.least_from_training is None):
            continue
        for each in sorted({*before, *after}):
            varied = dispersion_of(
                [
                    Share(part.names[name].get(each, 0), sum(part.names[name].values()))
                    for part in how.parts
                    if part.names.get(name)
                ]
            )
            shares = Share(before.get(each, 0), totals[0]), Share(after.get(each, 0), totals[1])
            tested.append((1, Change(name, each, *shares, chance(*shares, varied))))
    return tested


def _shares_above(bins: Sequence[int]) -> list[Share]:
    """Return the share of the pictures above each edge of a histogram."""
    total, below = sum(bins), accumulate(bins[:-1])
    return [Share(total - count, total) for count in below]
