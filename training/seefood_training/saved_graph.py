"""Converts the SavedModel of a bundle again: to an integer network for LiteRT."""

from seefood.bundle import Bundle
from seefood.imaging.decode import Pixels
from seefood_training.convert import to_litert
from seefood_training.frozen_graph import FrozenGraph
from seefood_training.graph_freezing import freeze
from seefood_training.heatmap_signature import SCORE_MAPS


def saved_graph_to_int8(bundle: Bundle, calibration: Pixels) -> bytes:
    """Return LiteRT's file of the bundle's graph in integers, heat maps included if it has them.

    `calibration` is uint8 of shape `(n, height, width, channels)`. The converter's exceptions are
    not translated.
    """
    frozen = _frozen(bundle)
    rule = bundle.spec.rule
    return to_litert(frozen, (rule.height, rule.width), list(frozen.outputs), "int8", calibration)


def _frozen(bundle: Bundle) -> FrozenGraph:
    import tensorflow as tf

    model = tf.saved_model.load(str(bundle.path))
    names = ["probabilities"]
    signature = model.signatures["serving_default"]
    if "explain" in model.signatures:
        names, signature = [*names, SCORE_MAPS], model.signatures["explain"]
    outputs = signature.structured_outputs
    assert list(outputs) == sorted(outputs)  # noqa: S101 (TensorFlow flattens in this order)
    return freeze(signature, [name for name in sorted(outputs) if name in names])
