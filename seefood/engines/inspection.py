"""Describes a bundle: its contents, and how each engine performs on it."""

from statistics import median
from time import perf_counter
from typing import Any, Final

from seefood.bundle import Bundle, FeatureSpec
from seefood.bundle.variant import variant_as_json
from seefood.bundle.variants import absent_variants, present_variants
from seefood.engines.certificate import certify
from seefood.engines.devices import describe_device, device_of
from seefood.engines.loading import has_graph, load_engine, tolerance_of
from seefood.engines.registry import EngineSpec, engine_spec, selectable_engines
from seefood.errors import BundleError, UsageError
from seefood.imaging.decode import decode
from seefood.imaging.resize import resized_by

_TIMED_CALLS: Final = 15


def describe_bundle(bundle: Bundle) -> dict[str, Any]:
    """Return a JSON document about `bundle`, with all files and engines.

    Loads and times every installed engine, which takes some seconds.
    """
    spec = bundle.spec
    files = {
        name: {"bytes": path.stat().st_size, "sha256": digest}
        for name, digest in sorted(bundle.files.items())
        if (path := bundle.file(name)).is_file()
    }
    return {
        "path": str(bundle.path),
        "name": spec.name,
        "digest": bundle.digest,
        "labels": list(spec.labels),
        "input": {
            "height": spec.rule.height,
            "width": spec.rule.width,
            "fit": spec.rule.fit,
            "filter": spec.rule.filter,
            "scaled_decode": spec.rule.draft_margin,
            "channels": spec.rule.channels,
            "crop_share": spec.rule.crop_share,
            "resized_by": resized_by(spec.rule),
        },
        "thresholds": dict(zip(spec.labels, spec.thresholds, strict=True)),
        "certificate": {
            "tolerance": spec.certificate.tolerance,
            "pictures": len(spec.certificate.goldens),
        },
        "features": None if bundle.features is None else _describe_features(bundle.features),
        "engines": [_describe_engine(bundle, engine) for engine in selectable_engines()],
        "variants": [describe_variant(each) for each in present_variants(bundle)],
        "variants_left_out": absent_variants(bundle),
        "bytes": sum(file["bytes"] for file in files.values()),
        "files": files,
        "training": dict(spec.training),
        "metrics": dict(spec.metrics),
    }


def _describe_features(features: FeatureSpec) -> dict[str, Any]:
    return {
        "dimension": features.dimension,
        "graphs": sorted(features.tensors),
        "tolerance": features.tolerance,
    }


def describe_variant(bundle: Bundle) -> dict[str, Any]:
    """Return what a faster variant states, and how its engine performs here."""
    variant = bundle.variant
    assert variant is not None  # noqa: S101 (`load_variants` checks it)
    return {
        **variant_as_json(variant),
        "model": bundle.name,
        "digest": bundle.digest,
        "engine": _describe_variant_engine(bundle, variant.engine),
    }


def _describe_variant_engine(bundle: Bundle, name: str) -> dict[str, Any]:
    try:
        spec = engine_spec(name)
    except UsageError as error:  # a newer version's
        return {"name": name, "state": "absent", "reason": str(error)}
    return _describe_engine(bundle, spec)


def _describe_engine(bundle: Bundle, spec: EngineSpec) -> dict[str, Any]:
    """Return an engine's difference from the certificate and speed, or why it cannot be used."""
    if not has_graph(bundle, spec.graph):
        return {"name": spec.name, "state": "absent", "reason": "its graph is not in this bundle"}
    if not spec.is_installed:
        return {"name": spec.name, "state": "absent", "reason": f"{spec.title} is not installed"}
    try:
        engine = load_engine(bundle, spec.name)
    except (BundleError, UsageError) as error:  # UsageError: not on this processor
        # An engine that the bundle was not made for may round more; that is no damage.
        state = "refused" if spec.is_exact else "unsuited"
        return {"name": spec.name, "state": state, "reason": str(error)}
    golden = bundle.spec.certificate.goldens[0].file
    image = decode(bundle.file(golden).read_bytes(), bundle.spec.rule).pixels[None]
    seconds = []
    for _ in range(_TIMED_CALLS):
        start = perf_counter()
        engine.predict(image)
        seconds.append(perf_counter() - start)
    return {
        "name": spec.name,
        "state": "certified",
        "difference": certify(engine, bundle, tolerance_of(engine, spec)),
        "tolerance": max(bundle.spec.certificate.tolerance, tolerance_of(engine, spec)),
        "device": describe_device(device_of(engine)),
        "milliseconds": round(median(seconds) * 1000, 2),
    }
