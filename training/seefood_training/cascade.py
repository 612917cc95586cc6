"""A cascade from two bundles: the small one answers where, on labelled photos, it was right enough.

How sure the small network must be is chosen on photos that neither network learned from, with room
for the luck of these photos. What that costs and saves is measured on the same photos and stands
in the bundle; `seefood evaluate` on others says whether it holds.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seefood.bundle import EXTRA, FIRST, LITERT_MODEL, Bundle, load_bundle, write_bundle
from seefood.engines.cascade import CascadeEngine
from seefood.engines.certificate import certify
from seefood.engines.loading import load_engine
from seefood.errors import UsageError
from seefood.imaging.decode import shrink
from seefood_training.data import Photo, decode_photos
from seefood_training.export import new_bundle
from seefood_training.metrics import Share

Floats = NDArray[np.floating]

_FEWEST_PHOTOS: Final = 100
_CONFIDENCE: Final = NormalDist().inv_cdf(0.95)
_MARGIN: Final = 1.5
"""The certificate allows so many times what the golden pictures differ by."""


@dataclass(frozen=True, slots=True)
class Choice:
    """From which probability on the small network decides, and what that did on the photos."""

    at_least: float
    answered_by_first: Share
    right_whole: Share
    """By the large network alone."""
    right: Share
    """By the cascade."""
    same_label: Share

    def as_json(self) -> dict[str, Any]:
        """Return the figures as values that JSON can hold."""
        values = {"first_at_least": self.at_least, "pictures": self.right.total}
        shares = ("answered_by_first", "right_whole", "right", "same_label")
        return {**values, **{name: round(getattr(self, name).value, 4) for name in shares}}


def choose(first: Floats, second: Floats, truth: NDArray[np.integer], points_lost: float) -> Choice:
    """Return the lowest probability from which on the small network may decide.

    `first` and `second` are probabilities of shape `(n, classes)`, `truth` class indices of shape
    `(n,)`. At it, and at every higher one, the cascade has, with 95 % confidence, at most
    `points_lost` percentage points fewer right labels than the large network. The variance is that
    of a paired difference: photos that just one of the two gets right (McNemar 1947), one more of
    them than were seen. Raises `UsageError` if there is no such probability.
    """
    top, said, whole = first.max(axis=1), first.argmax(axis=1), second.argmax(axis=1)
    order = np.argsort(-top, kind="stable")
    changed = ((whole == truth).astype(int) - (said == truth).astype(int))[order]
    lost = np.cumsum(changed) + _CONFIDENCE * np.sqrt(1 + np.cumsum(np.abs(changed)))
    bad = np.flatnonzero(lost * 100 / len(truth) > points_lost)
    # Where several photos have one probability, all or none of them are decided.
    ends = np.flatnonzero(np.append(np.diff(top[order]) != 0, True))
    good = ends[ends < bad[0]] if len(bad) else ends
    if not len(good):
        raise UsageError(
            f"on {len(truth):,} photos it cannot be said that a cascade loses at most "
            f"{points_lost:g} points; give more photos, a better small network, or allow more"
        )
    at_least = float(top[order][good[-1]])
    easy = top >= at_least
    label = np.where(easy, said, whole)
    count = len(truth)
    return Choice(
        at_least,
        Share(int(easy.sum()), count),
        Share(int((whole == truth).sum()), count),
        Share(int((label == truth).sum()), count),
        Share(int((label == whole).sum()), count),
    )


def make_cascade(  # noqa: PLR0913 (what the user says; keyword-only)
    first: Bundle,
    second: Bundle,
    photos: Sequence[Photo],
    output: Path,
    *,
    name: str,
    points_lost: float,
    overwrite: bool = False,
) -> tuple[Bundle, Choice]:
    """Write the bundle in which `first` stands before `second`; return it, certified.

    `photos` are labelled by the bundles' labels. Atomic, as `new_bundle` is. Raises `UsageError`
    for bundles that do not fit together, or too few photos; `BundleError` as `load_engine` does.
    """
    _check(first, second)
    decoded = decode_photos(photos, second.spec.rule)
    if len(decoded.photos) < _FEWEST_PHOTOS:
        raise UsageError(
            f"{len(decoded.photos)} photos are too few to see what a cascade costs; give at least "
            f"{_FEWEST_PHOTOS} that neither network learned from"
        )
    small, large = load_engine(first, "litert"), load_engine(second, "litert")
    rule = first.spec.rule
    answers = small.predict(np.stack([shrink(image, rule) for image in decoded.pixels]))
    choice = choose(answers, large.predict(decoded.pixels), decoded.labels, points_lost)
    engine = CascadeEngine(small, large, rule, choice.at_least)
    tolerance = max(second.spec.certificate.tolerance, _MARGIN * certify(engine, second, 1.0))
    measured = {"first": first.name, "first_digest": first.digest, **choice.as_json()}
    spec = replace(
        second.spec,
        name=name,
        certificate=replace(second.spec.certificate, tolerance=round(tolerance, 4)),
        metrics={**second.spec.metrics, "cascade": measured},
        first_at_least=choice.at_least,
    )
    with new_bundle(output, overwrite=overwrite) as folder:
        shutil.copytree(second.path, folder, dirs_exist_ok=True)
        shutil.copytree(first.path / EXTRA, folder / FIRST / EXTRA)
        write_bundle(folder / FIRST, first.spec)
        write_bundle(folder, spec)
    bundle = load_bundle(output)
    load_engine(bundle, "litert")
    return bundle, choice


def _check(first: Bundle, second: Bundle) -> None:
    why = None
    if first.is_cascade or second.is_cascade:
        why = "one of them is a cascade already"
    elif not (first.has_litert and second.has_litert):
        why = f"one of them has no {LITERT_MODEL}"
    elif first.labels != second.labels:
        why = "their labels differ, or stand in another order"
    elif first.spec.rule.fit != second.spec.rule.fit:
        why = f"one fits pictures by `{first.spec.rule.fit}`, one by `{second.spec.rule.fit}`"
    elif first.digest == second.digest:
        why = "they are the same"
    if why is not None:
        raise UsageError(f"{first.path} cannot stand before {second.path}: {why}")
