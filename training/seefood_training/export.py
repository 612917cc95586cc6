"""Exports a trained network to a bundle and certifies it with the TensorFlow and LiteRT engines.

The network returns logits; the bundle returns calibrated probabilities for uint8 pixels. The graph
of both engines therefore includes the cast, the division by the temperature and the softmax.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from seefood.bundle import EXTRA, LITERT_MODEL, ONNX_MODEL, Bundle, load_bundle
from seefood.errors import BundleError
from seefood.imaging.decode import Pixels, ResizeRule
from seefood_training.convert import (
    round_to_half,
    to_litert,
    write_saved_model,
)
from seefood_training.frozen_graph import FrozenGraph
from seefood_training.graph_freezing import freeze
from seefood_training.heatmap_signature import SCORE_MAPS, with_heat_maps
from seefood_training.quantisation import Quantisation
from seefood_training.reasons import NO_REASON, reason
from seefood_training.sealing import Draft, new_bundle, seal_bundle
from seefood_training.to_onnx import to_onnx

if TYPE_CHECKING:
    import keras

_log = logging.getLogger(__name__)


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


def write_graphs(  # noqa: PLR0913 (the last two are for packaging; keyword-only)
    frozen: FrozenGraph,
    folder: Path,
    rule: ResizeRule,
    quantisation: Quantisation = "float32",
    calibration_images: Pixels | None = None,
    *,
    onnx: bool = False,
    single: FrozenGraph | None = None,
) -> str | None:
    """Write the SavedModel and LiteRT's file of `frozen` into the empty `folder`.

    `single` is the graph for exactly one picture, where it differs. With `onnx` an ONNX file too;
    raises `UsageError` if that is not possible. Returns the reason why LiteRT cannot run the graph,
    or None.
    """
    if quantisation == "int8" and calibration_images is None:
        raise BundleError("int8 needs calibration pictures; pass a sample of the training pictures")
    frozen = with_heat_maps(frozen) if single is None else frozen
    outputs = list(frozen.outputs)
    rounded = frozen if quantisation == "float32" else round_to_half(frozen)
    signatures = {"serving_default": outputs[:1]}
    if SCORE_MAPS in outputs:
        signatures["explain"] = outputs
    write_saved_model(rounded, folder, signatures)
    (folder / EXTRA).mkdir()
    if onnx:
        (folder / ONNX_MODEL).write_bytes(to_onnx(rounded))
    size = (rule.height, rule.width)
    # An integer network is quantised from the trained weights, not from rounded ones.
    graph = single or (frozen if quantisation == "int8" else rounded)
    try:
        flat = to_litert(graph, size, outputs, quantisation, calibration_images)
    except Exception as error:  # noqa: BLE001 (the converter raises any exception; TensorFlow still runs the graph)
        problem = reason(error, NO_REASON)
        _log.warning("LiteRT cannot run this graph, only the tensorflow engine can: %s", problem)
        return problem
    (folder / LITERT_MODEL).write_bytes(flat)
    return None
