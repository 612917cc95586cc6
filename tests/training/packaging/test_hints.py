"""What a graph tells of its pixels: by its first operations, and by its names only after those."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from seefood_training.frozen_graph import FrozenGraph
from seefood_training.packaging.hints import hint
from seefood_training.packaging.network import Function, Opened, TensorSpec
from seefood_training.packaging.picture_input import PictureInput
from seefood_training.packaging.pixels import PixelChoice

pytestmark = pytest.mark.tensorflow

SPEC = TensorSpec("image", "float32", (None, 8, 8, 3))
FUNCTION = Function("serve", (SPEC,), (TensorSpec("scores", "float32", (None, 4)),), dict)
RESNET = Opened("SavedModel", (FUNCTION,), layers=("conv2_block1_1_conv",))
Pixels = Callable[[Any], Any]


def _plain(x: Any) -> Any:
    return x


def _scaled(factor: float, offset: float) -> Pixels:
    return lambda x: x * factor + offset


def _standardised(mean: float, deviation: float) -> Pixels:
    return lambda x: (x - mean) / deviation


def _caffe(x: Any) -> Any:
    import tensorflow as tf  # noqa: PLC0415 (tests are collected without TensorFlow, too)

    split = tf.stack([x[..., 2], x[..., 1], x[..., 0]], axis=-1)
    return tf.nn.bias_add(split, tf.constant([-103.9, -116.8, -123.7]))


def _sliced(x: Any) -> Any:
    return x[:, 1:7, 1:7, ::-1] - np.float32(110)


def _squared(x: Any) -> Any:
    return x * x


def _told(pixels: Pixels, opened: Opened = RESNET) -> str | None:
    import tensorflow as tf  # noqa: PLC0415 (as above)

    with tf.Graph().as_default() as graph:
        image = tf.compat.v1.placeholder(tf.float32, (None, 8, 8, 3), "image")
        kernel = tf.constant(np.ones((3, 3, 3, 4), np.float32))
        tf.reduce_mean(tf.nn.conv2d(pixels(image), kernel, 1, "VALID"), (1, 2), name="scores")
    frozen = FrozenGraph(graph.as_graph_def(), "image:0", {"scores": "scores:0"})
    source = PictureInput(SPEC, "nhwc", 8, 8, 3)
    found = hint(opened, FUNCTION, source, frozen)
    return None if found is None else found.pixels.range


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (_plain, "caffe"),
        (_scaled(1 / 255, 0), "0..255"),
        (_scaled(1 / 127.5, -1), "0..255"),
        (_caffe, "0..255"),
        (_sliced, "0..255"),
        (_standardised(117.0, 58.0), "0..255"),
        (_standardised(0.45, 0.25), "0..1"),
        (_standardised(0.1, 0.5), None),
        (_scaled(255.0, 0), None),
        (_squared, None),
    ],
    ids=[
        "by name",
        "rescaled",
        "rescaled to -1..1",
        "caffe inside",
        "cropped, reversed, less the mean",
        "standardised from 0..255",
        "standardised from 0..1",
        "standardised from -1..1",
        "from 0..1 to 0..255",
        "another operation first",
    ],
)
def test_preprocessing_is_never_applied_twice(pixels: Pixels, expected: str | None) -> None:
    """A network of a known name tells its range only where its pixels are not yet prepared."""
    assert expected == _told(pixels)


def test_names_of_a_file_that_is_no_tensorflow_graph() -> None:
    """A LiteRT file may have the preprocessing in its weights, so that its names tell nothing."""
    source = PictureInput(SPEC, "nhwc", 8, 8, 3)
    assert hint(RESNET, FUNCTION, source, None) is None


def test_what_somebody_states_is_not_taken_from_the_model() -> None:
    """The note about what was taken names the rest alone."""
    told, stated = PixelChoice("0..255", "tf-bilinear", "stretch"), PixelChoice(filter="bilinear")
    assert "0..255, stretch" == str(told.without(stated))
    assert PixelChoice() == told.without(told)
