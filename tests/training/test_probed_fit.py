"""From a probe to a fine-tuned network: what is kept, and that it is repeatable."""

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training needs TensorFlow")

from seefood_training.fit_types import Floats
from seefood_training.interpolation import choose_position
from seefood_training.networks import NetworkChoice, build
from seefood_training.networks.built_in_weights import built_in_convolutions
from seefood_training.probed_fit import affordable_views, learning_side

COUNT = 200


def _answers(accuracy: float, sharpness: float = 2.0, seed: int = 0) -> Floats:
    """Return logits of which the share `accuracy` is right; the true class is always 0."""
    rng = np.random.default_rng(seed)
    logits = np.zeros((COUNT, 2), np.float32)
    right = rng.permutation(COUNT) < accuracy * COUNT
    logits[np.arange(COUNT), np.where(right, 0, 1)] = sharpness
    return logits


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param([0.7, 0.7, 0.7], 0, id="no better"),
        pytest.param([0.9, 0.7, 0.5], 0, id="worse"),
        pytest.param([0.5, 0.7, 0.9], 2, id="better"),
        pytest.param([0.5, 0.9, 0.9], 1, id="the least of equals"),
        pytest.param([0.75, 0.76, 0.76], 0, id="better within the error"),
    ],
)
def test_choose_position(answers: list[float], expected: int) -> None:
    """Fine-tuning is kept as far as it proves better than the probe."""
    logits = np.stack([_answers(each, seed=seed) for seed, each in enumerate(answers)])
    labels = np.zeros(COUNT, np.int64)
    assert expected == choose_position(logits, labels, np.ones(COUNT, np.float32))


def test_never_fewer_right_than_the_probe() -> None:
    """A lower loss with fewer photos right is not kept."""
    probe = _answers(0.8, sharpness=20.0)  # so sure of its mistakes that its loss is high
    tuned = _answers(0.7, sharpness=0.5)
    labels = np.zeros(COUNT, np.int64)
    assert 0 == choose_position(np.stack([probe, tuned]), labels, np.ones(COUNT, np.float32))


def test_diverged_run_is_not_kept() -> None:
    """Answers that are no numbers are the worst."""
    logits = np.stack([_answers(0.5), np.full((COUNT, 2), np.nan, np.float32)])
    labels = np.zeros(COUNT, np.int64)
    assert 0 == choose_position(logits, labels, np.ones(COUNT, np.float32))


def test_learning_side() -> None:
    """Networks that take any size learn from smaller views, the others from the input's size."""
    assert (192, 224) == (
        learning_side("efficientnet_lite1", 240),
        learning_side("mobilenet_v2", 224),
    )


def test_built_in_weights() -> None:
    """The backbone of the built-in bundle needs no other file, and is that of its network."""
    model = build(NetworkChoice("efficientnet_lite1", 64, 64, 3), "built-in")
    kernel, bias = built_in_convolutions()("stage_5_block_1_depthwise")

    assert 3 == model.output_shape[1]
    weights = model.get_layer("stage_5_block_1_depthwise").get_weights()
    np.testing.assert_array_equal(kernel, weights[0])
    np.testing.assert_array_equal(bias, weights[1])
    assert np.abs(kernel).max() > 0


def test_smaller_views_are_more() -> None:
    """For equal time; never fewer than usual, and not without end."""
    views = tuple(affordable_views(2400, side) for side in (128, 192, 240, 32))
    assert (5400, 2400, 2400, 9600) == views


def test_sureness_does_not_decide() -> None:
    """Fine-tuning that ranks better is kept, though its probabilities are too near to 1."""
    probe, tuned = _answers(0.7, sharpness=1.0), _answers(0.9, sharpness=30.0)
    labels = np.zeros(COUNT, np.int64)
    assert 1 == choose_position(np.stack([probe, tuned]), labels, np.ones(COUNT, np.float32))
