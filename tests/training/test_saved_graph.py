"""The graph of a bundle, read back from its SavedModel."""

import pytest

pytest.importorskip("tensorflow", reason="training needs TensorFlow")

import tensorflow as tf

from seefood_training.reasons import NO_REASON, reason
from seefood_training.saved_graph import freeze_signature


@pytest.mark.parametrize(
    "names", [("probabilities", "score_maps"), ("score_maps", "probabilities")]
)
def test_outputs_are_found_in_any_order(names: tuple[str, str]) -> None:
    """A SavedModel states its outputs in an order that differs from load to load."""

    def graph() -> None:
        image = tf.compat.v1.placeholder(tf.float32, (None, 4, 4, 3), "image")
        tf.identity(image * 2.0, "score_maps")
        tf.reduce_mean(image * 3.0, (1, 2), name="probabilities")

    wrapped = tf.compat.v1.wrap_function(graph, [])
    tensors = {name: wrapped.graph.as_graph_element(f"{name}:0") for name in names}
    frozen = freeze_signature(wrapped.prune([wrapped.graph.as_graph_element("image:0")], tensors))

    with tf.Graph().as_default() as again:
        tf.import_graph_def(frozen.graph, name="")
    ranks = {name: again.as_graph_element(it).shape.rank for name, it in frozen.outputs.items()}
    assert {"probabilities": 2, "score_maps": 4} == ranks


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("", "its converter gives no reason"),
        ("<unknown>:0: error: no constant axis\nmore", "no constant axis"),
        ("Some ops are not supported\n\tCustom ops: Where, Foo", "LiteRT has no Where, Foo"),
    ],
)
def test_a_converters_exception_gives_a_sentence(message: str, said: str) -> None:
    """Also one without a message: a type's name tells nobody anything."""
    assert said == reason(AssertionError(message), NO_REASON)
