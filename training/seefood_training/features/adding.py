"""Adds the features to a bundle: finds them, certifies them, and keeps the digest."""

import logging
from collections.abc import Mapping
from typing import Final

import numpy as np

from seefood.bundle import Bundle, FeatureSpec, set_knowledge, write_bundle
from seefood.engines.base import FeatureEngine
from seefood.engines.certificate import relative_difference
from seefood.engines.loading import create_engine
from seefood.engines.registry import EngineSpec, selectable_engines
from seefood.errors import BundleError, UsageError
from seefood.imaging.decode import Pixels, decode
from seefood.vectors import Features, rounded
from seefood_training.features.tensors import find_tensors

_log = logging.getLogger(__name__)
_MIN_TOLERANCE: Final = 0.05
"""Rounding to 8 bits alone moves a vector by about 0.01 of its length."""
_MAX_TOLERANCE: Final = 0.5
_MARGIN: Final = 1.5
_LEAST: Final = 2
"""Numbers; fewer say nothing about a picture."""


def add_features(bundle: Bundle) -> Bundle:
    """Write the features of `bundle` into its `bundle.json` and return the bundle.

    The digest stays, and so do all files but `bundle.json`. A bundle without features, because it
    has no matrix product or is a cascade, is returned unchanged.
    """
    spec = None if bundle.is_cascade else _spec(bundle)
    if spec is None:
        return bundle
    written = write_bundle(bundle.path, bundle.spec, spec)
    if written.digest != bundle.digest:
        raise BundleError(
            f"{bundle.path} has files that are not its own, or lacks some; copy the bundle as it "
            "was made, and try again"
        )
    return set_knowledge(written, bundle.reference, bundle.novelty, _rejection(bundle))


def _rejection(bundle: Bundle) -> float | None:
    return None if bundle.spec.rejection is None else bundle.spec.rejection.above


def _spec(bundle: Bundle) -> FeatureSpec | None:
    """Return the certified features; the first engine's count, others must agree."""
    images = _golden_pixels(bundle)
    own: Features | None = None
    tensors: dict[str, int | str] = {}
    tolerance = _MIN_TOLERANCE
    for engine, found in _engines(find_tensors(bundle)):
        features = _features(bundle, engine, found, images)
        if features is None:
            continue
        if own is None:
            own = features
        difference = relative_difference(features, own)
        if difference * _MARGIN > _MAX_TOLERANCE:
            _log.info("the features of %s differ by %.0f %%", engine.name, 100 * difference)
            continue
        tolerance = max(tolerance, round(difference * _MARGIN, 3))
        tensors |= found
    if own is None or own.shape[1] < _LEAST or not np.abs(own).sum():
        return None
    files = [golden.file for golden in bundle.spec.certificate.goldens]
    return FeatureSpec(
        own.shape[1], tensors, tolerance, dict(zip(files, rounded(own), strict=True))
    )


def _engines(
    tensors: Mapping[str, int | str],
) -> list[tuple[EngineSpec, dict[str, int | str]]]:
    """Return the installed engines that run a graph with features; LiteRT first, as `auto` does."""
    order = {"litert": 0, "onnxruntime": 1}
    able = [
        spec
        for spec in selectable_engines()
        if spec.gives_features and spec.graph in tensors and spec.is_installed
    ]
    able.sort(key=lambda spec: order.get(spec.name, len(order)))
    return [(spec, {str(spec.graph): tensors[spec.graph]}) for spec in able]


def _features(
    bundle: Bundle, spec: EngineSpec, tensors: Mapping[str, int | str], images: Pixels
) -> Features | None:
    """Return the features of `images`; None if the tensor is none for each picture."""
    draft = Bundle(
        bundle.path, bundle.spec, bundle.digest, bundle.files, FeatureSpec(0, tensors, 0.0, {})
    )
    try:
        engine = create_engine(draft, spec.name, features=True)
        assert isinstance(engine, FeatureEngine)  # noqa: S101 (`gives_features` says so)
        probabilities, features = engine.predict_with_features(images)
    except (BundleError, UsageError, ValueError, RuntimeError) as error:
        _log.info("the %s engine gives no features: %s", spec.name, error)
        return None
    certified = np.array([golden.probabilities for golden in bundle.spec.certificate.goldens])
    is_same = np.abs(probabilities - certified).max() <= bundle.spec.certificate.tolerance
    return features if is_same and np.isfinite(features).all() else None


def _golden_pixels(bundle: Bundle) -> Pixels:
    rule = bundle.spec.rule
    files = [bundle.file(golden.file) for golden in bundle.spec.certificate.goldens]
    return np.stack([decode(file.read_bytes(), rule, exact=True).pixels for file in files])
