"""Seals a bundle: adds golden pictures, certificate and description to the graphs in a folder.

The certificate holds the answers of one engine: TensorFlow's for a SavedModel, and for a graph that
is taken as its author exported it those of the only engine that runs it. Every other engine for
which the bundle has a graph must agree with it. Imports TensorFlow only for a SavedModel.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import numpy as np

from seefood.bundle import (
    MANIFEST,
    Adapter,
    Bundle,
    BundleSpec,
    Certificate,
    Golden,
    write_bundle,
)
from seefood.engines.base import Engine
from seefood.engines.certificate import certify
from seefood.engines.loading import create_engine, has_graph
from seefood.engines.registry import engine_spec
from seefood.engines.saliency import ExplainingEngine
from seefood.errors import BundleError
from seefood.imaging.decode import Pixels, ResizeRule, decode
from seefood_training.features.adding import add_features
from seefood_training.golden_pictures import write_golden_pictures
from seefood_training.quantisation import Quantisation

FLOAT_TOLERANCE: Final = 1e-4
"""Largest difference in a probability between engines that both compute in float32."""
REDUCED_TOLERANCE: Final = 0.02
"""The same for a graph that its author quantised, on another processor."""
_INT8_MARGIN: Final = 1.5
_MIN_INT8_TOLERANCE: Final = 0.01
_MAX_INT8_TOLERANCE: Final = 0.5
_PROBE_SEED: Final = 20_170_514
_DIGITS: Final = 7
"""Decimal places of a probability in the certificate, far below every tolerance."""
_ENGINES: Final = ("tensorflow", "litert", "onnxruntime")
"""Those that bundles are made for; the first whose graph is there gives the certificate."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The description of a bundle, before its graph is certified."""

    name: str
    labels: tuple[str, ...]
    rule: ResizeRule
    thresholds: tuple[float, ...]
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    multi_label: bool = False
    adapter: Adapter | None = None
    """Of a graph that is taken as it is."""
    examples: tuple[Path, ...] = ()
    """Pictures that join the golden ones."""


def seal_bundle(
    folder: Path,
    draft: Draft,
    quantisation: Quantisation = "float32",
    least_tolerance: float = FLOAT_TOLERANCE,
) -> Bundle:
    """Add golden pictures, certificate and description to the graphs in `folder`.

    `quantisation` is that of LiteRT's file, where seefood made it. The tolerance is at least
    `least_tolerance`, which allows for other processors. Raises `BundleError` if the
    engines' probabilities differ too much.
    """
    pictures = write_golden_pictures(folder, draft.examples)
    unknown = tuple(Golden(file, (0.0,) * len(draft.labels)) for file in pictures)
    bundle = write_bundle(folder, _spec(draft, Certificate(FLOAT_TOLERANCE, unknown)))
    images = _golden_pixels(bundle)
    names = [name for name in _ENGINES if has_graph(bundle, engine_spec(name).graph)]
    engines = [create_engine(bundle, name) for name in names]
    reference, others = engines[0], engines[1:]
    answers = [_probabilities(reference, image, draft) for image in images]
    goldens = tuple(map(Golden, pictures, answers))
    probes = np.concatenate([images, _noise(draft.rule)])
    tolerance = FLOAT_TOLERANCE if draft.adapter is None else _as_is_tolerance(draft.adapter)
    tolerance = max(tolerance, least_tolerance)
    for other in others:
        difference = float(np.abs(reference.predict(probes) - other.predict(probes)).max())
        stated = quantisation if other.name == "litert" else "float32"
        tolerance = max(tolerance, _tolerance(other.name, difference, stated, folder))
    if quantisation != "int8":  # maps of 8 bits differ by design
        _check_score_maps(engines, images, bundle)
    bundle = write_bundle(folder, _spec(draft, Certificate(tolerance, goldens)))
    for engine in engines:
        certify(engine, bundle)
    return add_features(bundle)


def check_absent(output: Path, *, overwrite: bool) -> None:
    """Raise `BundleError` if `output` exists; with `overwrite` only if it is not a bundle."""
    if output.exists():
        if not overwrite:
            raise BundleError(f"{output} exists; remove it, or allow overwriting (`--overwrite`)")
        if not (output / MANIFEST).is_file():
            raise BundleError(f"{output} is not a bundle and is not overwritten; remove it first")


@contextmanager
def new_bundle(output: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield an empty folder beside `output` that is renamed to `output` if nothing is raised.

    Raises `BundleError` if `output` exists; with `overwrite` only if it is not a bundle.
    """
    check_absent(output, overwrite=overwrite)
    folder = output.parent / f".{output.name}.{uuid4().hex[:8]}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise BundleError(f"{output} cannot be written: {error}") from error
    try:
        yield folder
        put_in_place(folder, output)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def put_in_place(folder: Path, output: Path) -> None:
    """Rename `folder`, in the same file system, to `output`; a bundle that is there is removed.

    Raises `OSError` if it cannot be renamed; what was there stays then.
    """
    if not output.exists():
        folder.rename(output)
        return
    old = folder.with_name(f"{folder.name}.old")
    output.rename(old)
    try:
        folder.rename(output)
    except OSError:
        old.rename(output)
        raise
    if old.is_symlink():
        old.unlink()
    else:
        shutil.rmtree(old)


def _spec(draft: Draft, certificate: Certificate) -> BundleSpec:
    return BundleSpec(
        name=draft.name,
        labels=draft.labels,
        rule=draft.rule,
        thresholds=draft.thresholds,
        certificate=certificate,
        training=draft.training,
        metrics=draft.metrics,
        multi_label=draft.multi_label,
        adapter=draft.adapter,
    )


def _golden_pixels(bundle: Bundle) -> Pixels:
    rule = bundle.spec.rule
    files = [bundle.file(golden.file) for golden in bundle.spec.certificate.goldens]
    return np.stack([decode(file.read_bytes(), rule, exact=True).pixels for file in files])


def _noise(rule: ResizeRule) -> Pixels:
    rng = np.random.default_rng(_PROBE_SEED)
    return rng.integers(0, 256, (4, *rule.shape), dtype=np.uint8)


def _probabilities(engine: Engine, image: Pixels, draft: Draft) -> tuple[float, ...]:
    """Return the answer for one picture. Raises `BundleError` if it is not of probabilities."""
    values = engine.predict(image[np.newaxis])[0].astype(np.float64)
    # What packaging took as it is may be rounded to 8 bits; it has seen that these are shares.
    tolerance = 1e-3 if draft.adapter is None else 0.5
    is_one_choice = draft.multi_label or abs(values.sum() - 1) <= tolerance
    if values.shape != (len(draft.labels),):
        raise BundleError(
            f"the model returns {values.size} numbers for a picture and has {len(draft.labels)} "
            "labels; give one label for each number"
        )
    if not np.isfinite(values).all() or not is_one_choice or values.min() < 0 or values.max() > 1:
        raise BundleError(
            f"the model returns {_shortened(values)} for a golden picture, which are not "
            "probabilities; its weights may be broken"
        )
    return tuple(np.round(values, _DIGITS).tolist())


def _shortened(values: "np.typing.NDArray[np.float64]") -> str:
    shown = ", ".join(f"{value:.6g}" for value in values[:8])
    return f"[{shown}{', …' if len(values) > 8 else ''}]"


def _as_is_tolerance(adapter: Adapter) -> float:
    is_reduced = adapter.output_quantisation is not None or adapter.dtype == "float16"
    return REDUCED_TOLERANCE if is_reduced else FLOAT_TOLERANCE


def _check_score_maps(engines: Sequence[Engine], images: Pixels, bundle: Bundle) -> None:
    """Raise `BundleError` if the engines' heat maps of the golden pictures differ too much."""
    maps = [engine.explain(images)[1] for engine in engines if isinstance(engine, ExplainingEngine)]
    known = [each for each in maps if each is not None]
    if len(known) < 2:
        return
    expected, actual = known[:2]
    allowed = FLOAT_TOLERANCE * max(1.0, float(np.abs(expected).max()))
    if (difference := float(np.abs(actual - expected).max())) > allowed:
        raise BundleError(
            f"LiteRT's heat maps of {bundle.path} differ from the SavedModel's by "
            f"{difference:.6f} (allowed {allowed:.6f}); export as float32"
        )


def _tolerance(engine: str, difference: float, quantisation: Quantisation, folder: Path) -> float:
    """Return the tolerance of the certificate for the measured difference of `engine`."""
    if quantisation == "int8":
        if difference * _INT8_MARGIN <= _MAX_INT8_TOLERANCE:
            return round(max(_MIN_INT8_TOLERANCE, difference * _INT8_MARGIN), 3)
    elif difference <= FLOAT_TOLERANCE:
        return FLOAT_TOLERANCE
    raise BundleError(
        f"the {engine} engine's {quantisation} graph of {folder} differs from the SavedModel by "
        f"{difference:.6f} in a probability; export as float32, or train for the quantisation"
    )
