"""Makes a cascade of two bundles: the small network decides where its probability is high enough.

The limit is chosen on photos that neither network was trained on, with a 95 % confidence margin.
The bundle records accuracy and share of the small network on the same photos; to check them, run
`seefood evaluate` on other photos.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seefood.bundle import (
    EXTRA,
    LITERT_MODEL,
    SMALL_NETWORK,
    VARIANTS,
    Bundle,
    Variant,
    list_variants,
    load_bundle,
    load_variants,
    write_bundle,
)
from seefood.engines.cascade import CascadeEngine
from seefood.engines.certificate import certify
from seefood.engines.loading import load_engine
from seefood.errors import UsageError
from seefood.imaging.decode import shrink
from seefood_training.data import Photo, decode_photos
from seefood_training.metrics import Share
from seefood_training.sealing import new_bundle
from seefood_training.training_photos import seen_by
from seefood_training.variants import measure_loss, time_share

Floats = NDArray[np.floating]

_MIN_PHOTOS: Final = 100
_VARIANT: Final = "cascade"
_Z_95: Final = NormalDist().inv_cdf(0.95)
_WORTH: Final = 0.9
"""Share of the large network's time from which on a cascade saves too little."""
_MARGIN: Final = 1.5
"""The certificate allows the largest difference on the golden pictures times this factor."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The limit, and what the cascade does on the photos."""

    at_least: float
    """The smallest top probability at which the small network decides."""
    answered_by_first: Share
    right_first: Share
    """Correct labels of the small network alone."""
    right_whole: Share
    """Correct labels of the large network alone."""
    right: Share
    """Correct labels of the cascade."""
    same_label: Share
    """Labels that the cascade and the large network agree on."""

    def as_json(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        values = {"first_at_least": self.at_least, "pictures": self.right.total}
        shares = ("answered_by_first", "right_first", "right_whole", "right", "same_label")
        return {**values, **{name: round(getattr(self, name).value, 4) for name in shares}}


@dataclass(frozen=True, slots=True)
class Made:
    """A cascade, and what it is worth."""

    bundle: Bundle
    choice: Choice
    time_share: float
    """CPU time of a picture relative to the large network's, on this machine."""
    copies: tuple[str, ...]
    """Of each network that has seen some of the photos, a sentence."""

    def warnings(self) -> tuple[str, ...]:
        """Return sentences for what makes the cascade not worth having, or its figures too good."""
        choice, found = self.choice, list(self.copies)
        if choice.right_first.count >= choice.right_whole.count:
            found.append(
                f"the first network alone is right on {choice.right_first.value:.1%}, no less than "
                f"the second one ({choice.right_whole.value:.1%}): the first one alone is faster"
            )
        elif self.time_share > _WORTH:
            found.append(
                f"a picture takes {self.time_share:.0%} of the second network's time, so this "
                "cascade is not worth having; take a faster or a better first network, or allow "
                "more `--points-lost`"
            )
        return tuple(found)


def choose(first: Floats, second: Floats, truth: NDArray[np.integer], points_lost: float) -> Choice:
    """Return the lowest limit at which the cascade is accurate enough.

    `first` and `second` are the small and the large network's probabilities, of shape
    `(n, classes)`; `truth` is class indices of shape `(n,)`. At the limit and at every higher one,
    with 95 % confidence, the cascade loses at most `points_lost` percentage points of accuracy
    against the large network. The variance is that of a paired difference: the number of photos
    that exactly one of the two gets right (McNemar 1947), plus one. Raises `UsageError` if there is
    no such limit.
    """
    top, small, large = first.max(axis=1), first.argmax(axis=1), second.argmax(axis=1)
    order = np.argsort(-top, kind="stable")
    changed = ((large == truth).astype(int) - (small == truth).astype(int))[order]
    lost = np.cumsum(changed) + _Z_95 * np.sqrt(1 + np.cumsum(np.abs(changed)))
    too_high = np.flatnonzero(lost * 100 / len(truth) > points_lost)
    # Photos with equal probabilities are on the same side of the limit.
    ends = np.flatnonzero(np.append(np.diff(top[order]) != 0, True))
    allowed = ends[ends < too_high[0]] if len(too_high) else ends
    if not len(allowed):
        raise UsageError(
            f"{len(truth):,} photos do not show that a cascade loses at most {points_lost:g} "
            "points; give more photos or a better small network, or raise `--points-lost`"
        )
    at_least = float(top[order][allowed[-1]])
    easy = top >= at_least
    label = np.where(easy, small, large)
    count = len(truth)
    return Choice(
        at_least,
        Share(int(easy.sum()), count),
        Share(int((small == truth).sum()), count),
        Share(int((large == truth).sum()), count),
        Share(int((label == truth).sum()), count),
        Share(int((label == large).sum()), count),
    )


def make_cascade(  # noqa: PLR0913 (the options; keyword-only)
    first: Bundle,
    second: Bundle,
    photos: Sequence[Photo],
    output: Path,
    *,
    name: str,
    points_lost: float,
    overwrite: bool = False,
    as_variant: bool = False,
    data_name: str = "the photos that chose the limit",
) -> Made:
    """Write the cascade of `first` and `second`; return its bundle, certified, and the choice.

    `as_variant` writes `second` as it is, with its digest, and the cascade as a faster variant in
    it, whose loss was measured on `data_name`.
    `photos` are labelled by the bundles' labels. Atomic, as `new_bundle` is. Raises `UsageError`
    for bundles that cannot be combined, or too few photos; `BundleError` as `load_engine` does.
    """
    _check(first, second)
    decoded = decode_photos(photos, second.spec.rule, fingerprints=True)
    if len(decoded.photos) < _MIN_PHOTOS:
        raise UsageError(
            f"{len(decoded.photos)} photos are too few to measure a cascade; give at least "
            f"{_MIN_PHOTOS} that neither network was trained on"
        )
    small, large = load_engine(first, "litert"), load_engine(second, "litert")
    rule = first.spec.rule
    shrunk = np.stack([shrink(image, rule) for image in decoded.pixels])
    answers, whole = small.predict(shrunk), large.predict(decoded.pixels)
    choice = choose(answers, whole, decoded.labels, points_lost)
    relative = time_share(
        lambda: large.predict(decoded.pixels[:1]), lambda: small.predict(shrunk[:1])
    )
    relative = round(relative + 1 - choice.answered_by_first.value, 3)
    engine = CascadeEngine(small, large, rule, choice.at_least)
    tolerance = max(second.spec.certificate.tolerance, _MARGIN * certify(engine, second, 1.0))
    measured = {"first": first.name, "first_digest": first.digest, **choice.as_json()}
    spec = replace(
        second.spec,
        name=name,
        certificate=replace(second.spec.certificate, tolerance=round(tolerance, 4)),
        metrics={**second.spec.metrics, "cascade": measured},
        cascade_threshold=choice.at_least,
    )
    with new_bundle(output, overwrite=overwrite) as folder:
        shutil.copytree(second.path, folder, dirs_exist_ok=True)
        if as_variant:
            easy = answers.max(axis=1, keepdims=True) >= choice.at_least
            both = np.where(easy, answers, whole)
            loss = measure_loss(whole, both, decoded.labels, data_name)
            shared = [LITERT_MODEL, *(golden.file for golden in spec.certificate.goldens)]
            variant = Variant(second.digest, _VARIANT, "litert", relative, loss, tuple(shared))
            certificate = replace(spec.certificate, variant=variant)
            inner = folder / VARIANTS / _VARIANT
            _write_small(first, inner)
            spec = replace(spec, name=f"{second.name}-{_VARIANT}", certificate=certificate)
            write_bundle(inner, replace(spec, training={}, metrics={"cascade": measured}))
            list_variants(load_bundle(folder))
        else:
            shutil.rmtree(folder / VARIANTS, ignore_errors=True)
            _write_small(first, folder)
            write_bundle(folder, spec)
    bundle = load_bundle(output)
    for each in load_variants(bundle) if as_variant else (bundle,):
        load_engine(each, "litert")
    seen = [seen_by(each.path, decoded.fingerprints) for each in (first, second)]
    return Made(bundle, choice, relative, (*seen[0], *seen[1]))


def _write_small(first: Bundle, folder: Path) -> None:
    """Write `first` into the folder of a cascade as its small network, without variants."""
    ignored = shutil.ignore_patterns(Path(VARIANTS).name)
    shutil.copytree(first.path / EXTRA, folder / SMALL_NETWORK / EXTRA, ignore=ignored)
    write_bundle(folder / SMALL_NETWORK, first.spec)


def _check(first: Bundle, second: Bundle) -> None:
    reason = None
    if first.is_cascade or second.is_cascade:
        reason = "one of them is a cascade already"
    elif first.spec.multi_label or second.spec.multi_label:
        reason = "one of them gives a picture several labels, so no probability decides"
    elif first.spec.rejection is not None or second.spec.rejection is not None:
        reason = "one of them rejects pictures by their features, which a cascade does not have"
    elif not (first.has_litert and second.has_litert):
        reason = f"one of them has no {LITERT_MODEL}"
    elif first.labels != second.labels:
        reason = "their labels or the order of their labels differ"
    elif first.spec.rule.fit != second.spec.rule.fit:
        reason = f"one fits pictures by `{first.spec.rule.fit}`, one by `{second.spec.rule.fit}`"
    elif first.digest == second.digest:
        reason = "they are the same bundle"
    if reason is not None:
        raise UsageError(f"{first.path} and {second.path} cannot form a cascade: {reason}")
