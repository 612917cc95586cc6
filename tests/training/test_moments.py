"""Classifiers that read several blocks: what they average, and what their bundles keep."""

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training needs TensorFlow")

import keras
import tensorflow as tf

from seefood_training.graph_freezing import freeze
from seefood_training.heatmap_signature import SCORE_MAPS, with_heat_maps
from seefood_training.networks import NETWORKS, NetworkChoice, build
from seefood_training.networks.blocks.moments import group_trust, last_maps, moments

READING = sorted(
    name
    for name, spec in NETWORKS.items()
    if spec.can_read_blocks and name not in {"efficientnet_lite1", "efficientnet_lite2"}  # as lite0
)


def test_moments_average_to_means_and_deviations() -> None:
    """A block's averages are followed by its standard deviations over the positions."""
    rng = np.random.default_rng(0)
    groups = [rng.normal(3, 2, (2, 5, 4, maps)).astype(np.float32) for maps in (3, 2)]
    inputs = [keras.Input(group.shape[1:]) for group in groups]
    model = keras.Model(inputs, moments(inputs[0], inputs[1:]))
    averages = np.asarray(model(groups)).mean(axis=(1, 2))
    last, block = groups
    expected = [last.mean(axis=(1, 2)), block.mean(axis=(1, 2)), block.std(axis=(1, 2))]

    np.testing.assert_allclose(np.concatenate(expected, axis=1), averages, rtol=1e-3)
    assert 3 == last_maps(model)
    assert 7 == len(group_trust(model))


@pytest.mark.parametrize("name", READING)
def test_head_comes_first(name: str) -> None:
    """With the same weights the first features are those that the network gives alone."""
    choice = NetworkChoice(name, 64, 64, 2)
    more = NetworkChoice(name, 64, 64, 2, reads_blocks=True)
    alone, several = build(choice), build(more)
    several.set_weights([*alone.get_weights()[:-2], *several.get_weights()[-2:]])
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 64, 64, 3)).astype(np.float32)
    head, all_of_them = (
        np.asarray(keras.Model(model.input, model.get_layer("logits").input)(pixels))
        for model in (alone, several)
    )

    assert all_of_them.shape[1] > head.shape[1]
    assert last_maps(several) == head.shape[1]
    np.testing.assert_allclose(head, all_of_them[:, : head.shape[1]], rtol=1e-3, atol=1e-5)


def test_heat_maps_stay_exact() -> None:
    """The average of a heat map, plus the bias, is the logit."""
    model = build(
        NetworkChoice("folded_mobilenet_v2", 64, 64, 2, multiplier=0.35, reads_blocks=True)
    )
    spec = tf.TensorSpec((None, 64, 64, 3), tf.float32)
    call = tf.function(lambda image: model(image, training=False)).get_concrete_function(spec)
    frozen = with_heat_maps(freeze(call, ["logits"]))

    assert SCORE_MAPS in frozen.outputs
    pixels = np.random.default_rng(1).uniform(0, 255, (2, 64, 64, 3)).astype(np.float32)
    run = tf.compat.v1.wrap_function(
        lambda: tf.graph_util.import_graph_def(frozen.graph, name=""), []
    ).prune([frozen.source], [frozen.outputs["logits"], frozen.outputs[SCORE_MAPS]])
    logits, maps = (np.asarray(each) for each in run(tf.constant(pixels)))
    np.testing.assert_allclose(
        logits, maps.mean(axis=(1, 2)) + model.get_weights()[-1], rtol=1e-3, atol=1e-4
    )
