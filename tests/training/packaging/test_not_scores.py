"""Numbers that are no scores of labels are refused; scores of every usual kind pass."""

from typing import Any

import numpy as np
import pytest

from seefood.errors import UsageError
from seefood_training.packaging.answers import AnswerOptions, choose_answers, rows_of, without_maps
from seefood_training.packaging.network import Function, TensorSpec

NUMBERS = np.random.default_rng(0).normal(0, 3, (10, 3)).astype(np.float32)
ONE = NUMBERS[:, :1]
UNIT = NUMBERS / np.linalg.norm(NUMBERS, axis=1, keepdims=True)


def _function(*specs: TensorSpec) -> Function:
    return Function("f", (), specs, dict)


def _chosen(values: Any, last: str | None = None, **options: Any) -> str:
    """Return what is applied to the output `y` of the given values."""
    classes = max(2, values.shape[1])
    function = _function(TensorSpec("y", "float32", (None, values.shape[1])))
    labels = [f"c{at}" for at in range(classes)]
    return choose_answers(
        function, {"y": values}, labels, AnswerOptions(**options), {"y": last}
    ).activation


@pytest.mark.parametrize(
    ("values", "last", "message"),
    [
        pytest.param(np.ones((10, 1)), "Softmax", "1 for every picture; train", id="one softmax"),
        pytest.param(np.abs(ONE) % 1, "Max", "is the largest of its scores", id="largest score"),
        pytest.param(np.arange(10.0)[:, None], None, "is a whole number for each", id="an index"),
        pytest.param(40 + ONE, None, "if it measures a quantity", id="a quantity"),
        pytest.param(UNIT, None, "a vector of length 1, as an embedding", id="an embedding"),
        pytest.param(NUMBERS.clip(0), "Relu", "neither probabilities nor logits", id="relu"),
        pytest.param(np.tanh(ONE), "Tanh", "neither probabilities nor logits", id="tanh"),
    ],
)
def test_no_scores(values: Any, last: str | None, message: str) -> None:
    """Each is refused with what it is."""
    with pytest.raises(UsageError, match=message):
        _chosen(values.astype(np.float32), last)


@pytest.mark.parametrize(
    ("values", "last", "expected"),
    [
        pytest.param(NUMBERS, None, "softmax", id="logits"),
        pytest.param(ONE, None, "sigmoid", id="one logit"),
        pytest.param((ONE > 0).astype(np.float32), "Sigmoid", "none", id="a saturated sigmoid"),
        pytest.param(np.eye(3, dtype=np.float32)[[0, 1, 2] * 3], None, "none", id="saturated"),
    ],
)
def test_scores(values: Any, last: str | None, expected: str) -> None:
    """What looks alike and is right is not refused."""
    assert expected == _chosen(values, last)


def test_the_named_option_helps() -> None:
    """Who knows that the numbers are logits says so."""
    assert "softmax" == _chosen(UNIT, kind="logits")
    assert "sigmoid" == _chosen(40 + ONE, kind="logits")


@pytest.mark.parametrize(
    "boxes",
    [
        TensorSpec("regressors", "float32", (1, 3, 16)),
        TensorSpec("StatefulPartitionedCall:3", "float32", (1, 10, 4)),
        TensorSpec("TFLite_Detection_PostProcess", "float32", None),
        TensorSpec("num_detections", "float32", (None,)),
        TensorSpec("boxes", "float32", (None, 4)),
    ],
    ids=lambda spec: spec.name,
)
def test_a_detector_is_refused(boxes: TensorSpec) -> None:
    """Its scores belong to boxes, even if there are as many as labels."""
    function = _function(TensorSpec("scores", "float32", (None, 3)), boxes)
    outputs, labels = {"scores": UNIT**2}, ["a", "b", "c"]
    with pytest.raises(UsageError, match=r"finds objects .* `--output-name`"):
        choose_answers(function, outputs, labels, AnswerOptions(), {})
    named = AnswerOptions("scores")
    assert "scores" == choose_answers(function, outputs, labels, named, {}).output


def test_equal_answers_are_said() -> None:
    """A network that answers the same for all drawings is hardly right."""
    values = np.tile(np.array([0.2, 0.8], np.float32), (10, 1))
    function = _function(TensorSpec("y", "float32", (None, 2)))
    answers = choose_answers(function, {"y": values}, ["a", "b"], AnswerOptions(), {})
    assert ["all 10 answers to drawings are the same"] == [
        each.split(":")[0] for each in answers.notes
    ]


def test_maps_are_no_rows() -> None:
    """An output with a height and a width beside its channels is no row of scores."""
    outputs = {"map": np.zeros((10, 4, 4, 2)), "row": np.zeros((10, 1, 1, 3))}
    assert {"row": (10, 3)} == {
        key: value.shape for key, value in rows_of(without_maps(outputs), 10).items()
    }
