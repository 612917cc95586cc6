"""Converts the SavedModel of a bundle again: to an integer network for LiteRT."""

from typing import Any

from seefood.bundle import Bundle
from seefood.imaging.decode import Pixels
from seefood_training.convert import to_litert
from seefood_training.frozen_graph import FrozenGraph
from seefood_training.graph_freezing import freeze


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

    signatures = tf.saved_model.load(str(bundle.path)).signatures
    return freeze_signature(signatures.get("explain", signatures["serving_default"]))


def freeze_signature(signature: Any) -> FrozenGraph:
    """Return the function `signature` of a SavedModel, frozen, with its outputs by their names.

    The outputs' order in the file is undefined: TensorFlow returns them in the order of their
    names (`tf.nest.flatten`), whatever the order of `structured_outputs`.
    """
    return freeze(signature, sorted(signature.structured_outputs))
