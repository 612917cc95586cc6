"""What `bundle.json` states of a model, its checks, and the digest that names the model."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from seefood.bundle.adapter import Adapter, adapter_from_json, adapter_problem
from seefood.bundle.variant import Variant, variant_as_json, variant_from_json
from seefood.errors import BundleError
from seefood.imaging.resize_rule import CHANNELS, FILTERS, FITS, ResizeRule

FORMAT_VERSION: Final = 1
_MAX_SIDE: Final = 4096


@dataclass(frozen=True, slots=True)
class Golden:
    """A picture in the bundle, and the probabilities that the model is certified to return."""

    file: str
    """Path relative to the bundle."""
    probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Certificate:
    """What an engine must reproduce before it may classify."""

    tolerance: float
    """Largest absolute difference of any probability."""
    goldens: tuple[Golden, ...]
    variant: Variant | None = None
    """Of a faster variant of another bundle: what it loses, and where that was measured."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """The novelty above which a picture is `unsure`. It decides rows, so the digest covers it."""

    above: float
    space: str
    """The SHA-256 of the bundle's `NoveltySpace`, hexadecimal."""


@dataclass(frozen=True, slots=True)
class BundleSpec:
    """The contents of `bundle.json`, apart from the digests."""

    name: str
    labels: tuple[str, ...]
    rule: ResizeRule
    thresholds: tuple[float, ...]
    """For each label: a top score below it makes the picture `unsure`; 0 accepts all. With
    `multi_label`, a picture has every label whose score is at least its threshold."""
    certificate: Certificate
    training: Mapping[str, Any] = field(default_factory=dict)
    """How it was made: network, data, seed, temperature, seconds. Informative only."""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    """What was measured, on which pictures. Informative only."""
    cascade_threshold: float | None = None
    """Of a cascade: the small network decides where its top probability is at least this.
    `first_at_least` in `bundle.json`."""
    multi_label: bool = False
    """Whether each label has a probability of its own, so that a picture may have several."""
    adapter: Adapter | None = None
    """How the graph is called; None for a graph from uint8 pixels to probabilities."""
    rejection: Rejection | None = None
    """Which pictures are `unsure` because they resemble nothing in training; None rejects none."""


def spec_from_json(document: Mapping[str, Any]) -> BundleSpec:
    """Return the spec in `document`. Raises what reading an invalid one raises."""
    certificate = document["certificate"]
    return BundleSpec(
        name=str(document["name"]),
        labels=tuple(map(str, document["labels"])),
        rule=_rule_from_json(document["rule"]),
        thresholds=tuple(map(float, document["thresholds"])),
        certificate=Certificate(
            tolerance=float(certificate["tolerance"]),
            goldens=tuple(
                Golden(str(golden["file"]), tuple(map(float, golden["probabilities"])))
                for golden in certificate["goldens"]
            ),
            variant=_optional_variant(certificate.get("variant")),
        ),
        training=dict(document["training"]),
        metrics=dict(document["metrics"]),
        cascade_threshold=_optional_float(document.get("first_at_least")),
        multi_label=bool(document.get("multi_label", False)),
        adapter=_optional_adapter(document.get("adapter")),
        rejection=_optional_rejection(document.get("rejection")),
    )


def _optional_float(value: Any) -> float | None:
    return None if value is None else float(value)


def _optional_adapter(value: Any) -> Adapter | None:
    return None if value is None else adapter_from_json(value)


def _optional_variant(value: Any) -> Variant | None:
    return None if value is None else variant_from_json(value)


def _optional_rejection(value: Any) -> Rejection | None:
    return None if value is None else Rejection(float(value["above"]), str(value["space"]))


def _rule_from_json(document: Mapping[str, Any]) -> ResizeRule:
    rule = ResizeRule(**document)
    sides = (rule.height, rule.width)
    if not all(isinstance(side, int) and 0 < side <= _MAX_SIDE for side in sides):
        raise ValueError(f"an input of {rule.width} x {rule.height} pixels")
    if rule.fit not in FITS or rule.filter not in FILTERS or rule.channels not in CHANNELS:
        raise ValueError(f"the fit {rule.fit!r}, the filter {rule.filter!r}, {rule.channels!r}")
    if not 0 < rule.crop_share <= 1:
        raise ValueError(f"the share {rule.crop_share!r} of a crop")
    margin = rule.scaled_decode
    if margin is not None and not (isinstance(margin, int | float) and 0 < margin < math.inf):
        raise ValueError(f"the scaled decode {margin!r}")
    return rule


def check_spec(spec: BundleSpec, root: Path) -> None:
    """Raise `BundleError` if `spec`, of the bundle at `root`, contradicts itself."""
    classes = len(spec.labels)
    problem = None
    if classes < (1 if spec.multi_label else 2) or len(set(spec.labels)) != classes:
        least = "one" if spec.multi_label else "two"  # one label of one choice is no choice
        problem = f"its {classes} labels must be at least {least} and differ"
    elif len(spec.thresholds) != classes:
        problem = f"it has {len(spec.thresholds)} thresholds for {classes} labels"
    elif spec.rule.height < 1 or spec.rule.width < 1:
        problem = f"its input of {spec.rule.width} x {spec.rule.height} pixels is empty"
    elif not spec.certificate.goldens or spec.certificate.tolerance <= 0:
        problem = "its certificate has no golden picture or no tolerance"
    elif spec.cascade_threshold is not None and not 0 < spec.cascade_threshold <= 1:
        problem = f"its cascade threshold {spec.cascade_threshold} is not a probability"
    elif any(len(golden.probabilities) != classes for golden in spec.certificate.goldens):
        problem = f"a golden picture does not have {classes} probabilities"
    elif spec.adapter is not None:
        problem = adapter_problem(spec.adapter, spec.rule, classes)
    if problem is not None:
        raise BundleError(f"the bundle {root} contradicts itself: {problem}")


def manifest_content(spec: BundleSpec, files: Mapping[str, str]) -> dict[str, Any]:
    """Return the content that the digest is computed from."""
    # What older bundles do not state is absent when default, so that their digests stay the same.
    content = {"format_version": FORMAT_VERSION, **asdict(spec), "files": dict(files)}
    content["rule"] = spec.rule.as_json()
    del content["certificate"]["variant"]
    if spec.certificate.variant is not None:
        content["certificate"]["variant"] = variant_as_json(spec.certificate.variant)
    threshold = content.pop("cascade_threshold")
    if threshold is not None:
        content["first_at_least"] = threshold
    if not spec.multi_label:
        del content["multi_label"]
    if spec.rejection is None:
        del content["rejection"]
    del content["adapter"]
    if spec.adapter is not None:
        content["adapter"] = spec.adapter.as_json()
    return content


def compute_digest(spec: BundleSpec, files: Mapping[str, str]) -> str:
    """Return the SHA-256 of the content, hexadecimal."""
    content = manifest_content(spec, files)
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
