"""Exports a trained network to a bundle and certifies it with the TensorFlow and LiteRT engines.

The network returns logits; the bundle returns calibrated probabilities for uint8 pixels. The graph
of both engines therefore includes the cast, the division by the temperature and the softmax.
"""

import logging
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import numpy as np

from seefood.bundle import (
    EXTRA,
    LITERT_MODEL,
    MANIFEST,
    Bundle,
    BundleSpec,
    Certificate,
    Golden,
    load_bundle,
    write_bundle,
)
from seefood.engines.base import Engine
from seefood.engines.certificate import certify
from seefood.errors import BundleError
from seefood.imaging.decode import Pixels, ResizeRule, decode
from seefood_training.convert import round_to_half, to_litert, write_saved_model
from seefood_training.frozen_graph import FrozenGraph
from seefood_training.golden_pictures import write_golden_pictures
from seefood_training.graph_freezing import freeze
from seefood_training.heatmap_signature import SCORE_MAPS, with_heat_maps
from seefood_training.quantisation import Quantisation

if TYPE_CHECKING:
    import keras

    from seefood.engines.litert import LiteRTEngine
    from seefood.engines.tensorflow import TensorFlowEngine

_log = logging.getLogger(__name__)

FLOAT_TOLERANCE: Final = 1e-4
"""Largest difference in a probability between engines that both compute in float32."""
_INT8_MARGIN: Final = 1.5
_MIN_INT8_TOLERANCE: Final = 0.01
_MAX_INT8_TOLERANCE: Final = 0.5
_PROBE_SEED: Final = 20_170_514


@dataclass(frozen=True, slots=True)
class Draft:
    """The description of a bundle, before its graph is certified."""

    name: str
    labels: tuple[str, ...]
    rule: ResizeRule
    thresholds: tuple[float, ...]
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)


def export_bundle(  # noqa: PLR0913 (the parts of a bundle; keyword-only)
    model: "keras.Model",
    output: Path,
    *,
    name: str,
    labels: Sequence[str],
    rule: ResizeRule,
    temperature: float,
    thresholds: Sequence[float],
    training: Mapping[str, Any],
    metrics: Mapping[str, Any],
    quantisation: Quantisation = "float32",
    calibration_images: Pixels | None = None,
    extra_files: Mapping[str, bytes] = MappingProxyType({}),
    overwrite: bool = False,
) -> Bundle:
    """Write the bundle of `model` to the folder `output` and return it, certified.

    `model` takes float32 RGB in [0, 255] of shape `(n, height, width, 3)` and returns logits of
    shape `(n, classes)`. `float16` stores weights rounded to 16 bits; `int8` makes LiteRT's file an
    integer network and needs `calibration_images`, uint8 of shape `(n, height, width, 3)`.
    `extra_files`, such as a model card, are written to `assets.extra/` under their names.
    Atomic: written beside `output`, then renamed. `overwrite` replaces an existing bundle.
    Raises `BundleError` if `output` exists, or if the engines' probabilities differ too much.
    """
    import tensorflow as tf

    def probabilities(image: Any) -> Any:
        logits = model(tf.cast(image, tf.float32), training=False)
        return tf.nn.softmax(logits / temperature)

    pictures = tf.TensorSpec((None, rule.height, rule.width, 3), tf.uint8, name="image")
    frozen = freeze(tf.function(probabilities).get_concrete_function(pictures), ["probabilities"])
    record = {**training, "temperature": temperature, "quantisation": quantisation}
    draft = Draft(name, tuple(labels), rule, tuple(thresholds), record, metrics)
    with new_bundle(output, overwrite=overwrite) as folder:
        write_graphs(frozen, folder, rule, quantisation, calibration_images)
        for file, content in extra_files.items():
            (folder / EXTRA / file).write_bytes(content)
        seal_bundle(folder, draft, quantisation)
    return load_bundle(output)


def write_graphs(
    frozen: FrozenGraph,
    folder: Path,
    rule: ResizeRule,
    quantisation: Quantisation = "float32",
    calibration_images: Pixels | None = None,
) -> str | None:
    """Write the SavedModel and LiteRT's file of `frozen` into the empty `folder`.

    Returns the reason why LiteRT cannot run the graph, or None.
    """
    if quantisation == "int8" and calibration_images is None:
        raise BundleError("int8 needs calibration pictures; pass a sample of the training pictures")
    frozen = with_heat_maps(frozen)
    outputs = list(frozen.outputs)
    rounded = frozen if quantisation == "float32" else round_to_half(frozen)
    signatures = {"serving_default": outputs[:1]}
    if SCORE_MAPS in outputs:
        signatures["explain"] = outputs
    write_saved_model(rounded, folder, signatures)
    (folder / EXTRA).mkdir()
    size = (rule.height, rule.width)
    # An integer network is quantised from the trained weights, not from rounded ones.
    graph = frozen if quantisation == "int8" else rounded
    try:
        flat = to_litert(graph, size, outputs, quantisation, calibration_images)
    except Exception as error:  # noqa: BLE001 (the converter raises any exception; TensorFlow still runs the graph)
        reason = _conversion_error(str(error))
        _log.warning("LiteRT cannot run this graph, only the tensorflow engine can: %s", reason)
        return reason
    (folder / LITERT_MODEL).write_bytes(flat)
    return None


def seal_bundle(folder: Path, draft: Draft, quantisation: Quantisation = "float32") -> Bundle:
    """Add golden pictures, certificate and description to the graphs in `folder`.

    The certificate has TensorFlow's probabilities. Raises `BundleError` if LiteRT's differ too
    much.
    """
    from seefood.engines.litert import LiteRTEngine
    from seefood.engines.tensorflow import TensorFlowEngine

    pictures = write_golden_pictures(folder)
    unknown = tuple(Golden(file, (0.0,) * len(draft.labels)) for file in pictures)
    bundle = write_bundle(folder, _spec(draft, Certificate(FLOAT_TOLERANCE, unknown)))
    engine = TensorFlowEngine(bundle)
    goldens = tuple(Golden(file, _probabilities(engine, bundle, file)) for file in pictures)
    _check_probabilities(goldens, folder)
    tolerance = FLOAT_TOLERANCE
    if bundle.has_litert:
        litert = LiteRTEngine(bundle)
        difference = _largest_difference(engine, litert, bundle)
        tolerance = _tolerance(difference, quantisation, folder)
        _check_score_maps(engine, litert, bundle, quantisation)
    bundle = write_bundle(folder, _spec(draft, Certificate(tolerance, goldens)))
    for each in (engine, litert) if bundle.has_litert else (engine,):
        certify(each, bundle)
    return bundle


@contextmanager
def new_bundle(output: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield an empty folder beside `output` that is renamed to `output` if nothing is raised.

    Raises `BundleError` if `output` exists; with `overwrite` only if it is not a bundle.
    """
    if output.exists():
        if not overwrite:
            raise BundleError(f"{output} exists; remove it, or allow overwriting (`--overwrite`)")
        if not (output / MANIFEST).is_file():
            raise BundleError(f"{output} is not a bundle and is not overwritten; remove it first")
    folder = output.parent / f".{output.name}.{uuid4().hex[:8]}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise BundleError(f"{output} cannot be written: {error}") from error
    try:
        yield folder
        if output.exists():
            old = folder.with_suffix(".old")
            output.rename(old)
            folder.rename(output)
            shutil.rmtree(old)
        else:
            folder.rename(output)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _conversion_error(message: str) -> str:
    """Return one line of the many lines that LiteRT's converter raises."""
    if missing := re.search(r"(?:Custom|Flex|Select TF) ops: (.+)", message):
        return f"LiteRT has no {missing[1].strip()}"
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    errors = [line.partition("error: ")[2] for line in lines if "error: " in line]
    return (errors or lines or ["no reason given"])[0][:200]


def _spec(draft: Draft, certificate: Certificate) -> BundleSpec:
    return BundleSpec(
        name=draft.name,
        labels=draft.labels,
        rule=draft.rule,
        thresholds=draft.thresholds,
        certificate=certificate,
        training=draft.training,
        metrics=draft.metrics,
    )


def _probabilities(engine: Engine, bundle: Bundle, file: str) -> tuple[float, ...]:
    image = decode(bundle.file(file).read_bytes(), bundle.spec.rule, exact=True)
    return tuple(map(float, engine.predict(image.pixels[np.newaxis])[0]))


def _check_probabilities(goldens: Sequence[Golden], folder: Path) -> None:
    for golden in goldens:
        values = np.asarray(golden.probabilities)
        if not np.isfinite(values).all() or abs(values.sum() - 1) > 1e-3 or values.min() < 0:
            raise BundleError(
                f"the model in {folder} returns {values.tolist()} for a golden picture, "
                "which are not probabilities; its weights may be broken"
            )


def _largest_difference(engine: Engine, other: Engine, bundle: Bundle) -> float:
    """Return the largest difference in a probability on the golden pictures and on noise."""
    rule = bundle.spec.rule
    pictures = [
        decode(bundle.file(golden.file).read_bytes(), rule, exact=True).pixels
        for golden in bundle.spec.certificate.goldens
    ]
    rng = np.random.default_rng(_PROBE_SEED)
    noise = rng.integers(0, 256, (4, rule.height, rule.width, 3), dtype=np.uint8)
    images = np.concatenate([np.stack(pictures), noise])
    return float(np.abs(engine.predict(images) - other.predict(images)).max())


def _check_score_maps(
    engine: "TensorFlowEngine", litert: "LiteRTEngine", bundle: Bundle, quantisation: Quantisation
) -> None:
    """Raise `BundleError` if the engines' heat maps of the golden pictures differ too much."""
    if quantisation == "int8":
        return  # maps of 8 bits differ by design; the probabilities have a tolerance of their own
    rule = bundle.spec.rule
    for golden in bundle.spec.certificate.goldens:
        pixels = decode(bundle.file(golden.file).read_bytes(), rule, exact=True).pixels[np.newaxis]
        _, expected = engine.explain(pixels)
        _, maps = litert.explain(pixels)
        if expected is None or maps is None:
            return
        allowed = FLOAT_TOLERANCE * max(1.0, float(np.abs(expected).max()))
        if (difference := float(np.abs(maps - expected).max())) > allowed:
            raise BundleError(
                f"LiteRT's heat maps of {bundle.path} differ from the SavedModel's by "
                f"{difference:.6f} (allowed {allowed:.6f}); export as float32"
            )


def _tolerance(difference: float, quantisation: Quantisation, folder: Path) -> float:
    """Return the tolerance of the certificate for the measured difference."""
    if quantisation == "int8":
        if difference * _INT8_MARGIN <= _MAX_INT8_TOLERANCE:
            return round(max(_MIN_INT8_TOLERANCE, difference * _INT8_MARGIN), 3)
    elif difference <= FLOAT_TOLERANCE:
        return FLOAT_TOLERANCE
    raise BundleError(
        f"LiteRT's {quantisation} graph of {folder} differs from the SavedModel by "
        f"{difference:.6f} in a probability; export as float32, or train for the quantisation"
    )
