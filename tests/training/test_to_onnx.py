"""The ONNX file of a SavedModel, which ONNX Runtime runs."""

from pathlib import Path

import numpy as np
import pytest

from seefood.engines.loading import load_engine
from seefood.imaging.decode import ResizeRule
from seefood_training.export import write_graphs
from seefood_training.graph_freezing import freeze
from seefood_training.sealing import Draft, seal_bundle
from tests.models import SIZE, tiny_model

pytestmark = pytest.mark.tensorflow
pytest.importorskip("tf2onnx", reason="the extra onnx-export is not installed")


def test_three_engines_agree(tmp_path: Path) -> None:
    """A bundle may have all graphs; each engine is certified and gives the same probabilities."""
    import tensorflow as tf  # noqa: PLC0415 (collecting tests needs no TensorFlow)

    model, rule = tiny_model(3), ResizeRule(SIZE, SIZE)
    pictures = tf.TensorSpec((None, *rule.shape), tf.uint8, name="image")
    function = tf.function(lambda image: tf.nn.softmax(model(tf.cast(image, tf.float32))))
    frozen = freeze(function.get_concrete_function(pictures), ["probabilities"])
    assert write_graphs(frozen, tmp_path, rule, onnx=True) is None
    bundle = seal_bundle(tmp_path, Draft("three", ("a", "b", "c"), rule, (0.0,) * 3))
    images = np.random.default_rng(0).integers(0, 256, (5, *rule.shape), dtype=np.uint8)
    assert load_engine(bundle).name == "litert"
    names = ("litert", "onnxruntime", "tensorflow")
    first, *others = (load_engine(bundle, name).predict(images) for name in names)
    for other in others:
        np.testing.assert_allclose(first, other, atol=1e-5)
