"""Classification without I/O: one row for each picture in every case."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import ArrayLike

from seefood.classification import ClassifyOptions, Fetched, Model, classify_images, rank
from seefood.engines.base import Probabilities
from seefood.engines.fake import FakeEngine
from seefood.errors import ErrorCode, PictureError
from seefood.imaging.decode import Limits, Pixels, ResizeRule
from seefood.records import ImageRef, Status
from tests.fakes import DIGEST, MODEL
from tests.pictures import jpeg

RED, GREEN = jpeg((250, 5, 5)), jpeg((5, 250, 5))


def _ref(name: str) -> ImageRef:
    return ImageRef(f"s3://b/{name}", "e", 10, "v")


def _probabilities(values: ArrayLike) -> Probabilities:
    return np.array(values, dtype=np.float32)


class _FunctionEngine:
    """An engine whose probabilities a function computes."""

    name = "function"
    batch_size = 4

    def __init__(self, predict: Callable[[Pixels], Probabilities]) -> None:
        self.predict = predict


def test_each_picture_gets_one_row_in_order() -> None:
    """Bad pictures do not affect the rows of others."""
    fetched: list[Fetched] = [
        (_ref("1"), RED),
        (_ref("2"), b"not a picture"),
        (_ref("3"), PictureError(ErrorCode.NOT_FOUND, "gone")),
        (_ref("4"), GREEN),
        (_ref("5"), b""),
    ]
    rows = classify_images(fetched, FakeEngine(), MODEL)
    assert [f"s3://b/{n}" for n in range(1, 6)] == [row.uri for row in rows]
    assert ["red", None, None, "green", None] == [row.label for row in rows]
    codes = [None, "not_an_image", "not_found", None, "empty"]
    assert codes == [row.error_code for row in rows]
    assert ("e", "v", 10, 32, 24, "JPEG", "fake", MODEL.digest, "fake") == (
        rows[0].etag, rows[0].version_id, rows[0].size_bytes, rows[0].width, rows[0].height,
        rows[0].format, rows[0].model, rows[0].model_digest, rows[0].engine,
    )  # fmt: skip
    assert [] == classify_images([], FakeEngine(), MODEL)


def test_on_start_names_the_pictures_that_are_next() -> None:
    """Each picture before it is decoded, and all decoded ones before they are predicted."""
    started: list[tuple[int, ...]] = []
    fetched: list[Fetched] = [(_ref("1"), RED), (_ref("2"), b"no picture"), (_ref("3"), GREEN)]
    classify_images(fetched, FakeEngine(), MODEL, on_start=lambda at: started.append(tuple(at)))
    assert [(0,), (1,), (2,), (0, 2)] == started


def test_a_failing_batch_is_tried_one_by_one() -> None:
    """If the engine fails on one picture, only its row has the error and its message."""
    calls = []

    def before(images: Pixels) -> None:
        calls.append(len(images))
        if images[..., 1].mean() > 100 and len(images) == 1:
            raise RuntimeError("cannot  stand\ngreen")
        if len(images) > 1:
            raise RuntimeError("batch")

    rows = classify_images(
        [(_ref("1"), RED), (_ref("2"), GREEN), (_ref("3"), RED)],
        FakeEngine(before=before),
        MODEL,
    )
    assert [3, 1, 1, 1] == calls
    assert ["red", None, "red"] == [row.label for row in rows]
    assert "engine_error" == rows[1].error_code
    assert "the fake engine failed: cannot stand green" == rows[1].error_message
    assert (32, 24, "JPEG") == (rows[1].width, rows[1].height, rows[1].format)


@pytest.mark.parametrize(
    "predict",
    [
        lambda images: np.zeros((len(images), 3), np.float32),
        lambda images: np.zeros((len(images) + 1, 2), np.float32),
        lambda images: np.full((len(images), 2), np.nan, np.float32),
        lambda images: np.full((len(images), 2), np.inf, np.float32),
        lambda images: np.tile(_probabilities([7.5, -2.0]), (len(images), 1)),
        lambda images: [[0.5, 0.5]] * len(images),
        lambda _: None,
    ],
    ids=["classes", "rows", "nan", "infinite", "logits", "list", "none"],
)
def test_invalid_probabilities_are_an_engine_error(
    predict: Callable[[Pixels], Probabilities],
) -> None:
    """A wrong shape, NaN, or values outside [0, 1] give no label."""
    rows = classify_images([(_ref("1"), RED), (_ref("2"), RED)], _FunctionEngine(predict), MODEL)
    assert ["engine_error"] * 2 == [row.error_code for row in rows]
    assert [None, None] == [row.label for row in rows]


def test_thresholds_make_unsure() -> None:
    """A score below its label's own threshold makes the picture unsure."""
    model = replace(MODEL, thresholds=(0.8, 0.6))
    for probabilities, status in (
        ([0.79, 0.21], Status.UNSURE),
        ([0.81, 0.19], Status.OK),
        ([0.39, 0.61], Status.OK),
        ([0.45, 0.55], Status.UNSURE),
    ):
        assert status is rank(_probabilities(probabilities), model, 2).status


def test_ranking_is_stable_and_limited() -> None:
    """`top` is descending, ties keep the order of labels, and `top_k` may be too large."""
    assert (("red", 0.5), ("green", 0.5)) == rank(_probabilities([0.5, 0.5]), MODEL, 9).top
    prediction = rank(_probabilities([0.25, 0.75]), MODEL, 1)
    assert ("green", 0.75, (("green", 0.75),)) == (
        prediction.label, prediction.score, prediction.top,
    )  # fmt: skip


def test_limits_apply() -> None:
    """A picture above the options' limits fails with its error code."""
    options = ClassifyOptions(limits=Limits(max_bytes=10))
    (row,) = classify_images([(_ref("1"), RED)], FakeEngine(), MODEL, options)
    assert "too_large" == row.error_code


_SEVERAL = Model("m", DIGEST, ("a", "b", "c"), (0.8, 0.3, 0.5), ResizeRule(8, 8), multi_label=True)


@pytest.mark.parametrize(
    ("scores", "label", "labels", "status"),
    [
        ((0.9, 0.95, 0.1), "b", ("b", "a"), Status.OK),
        ((0.7, 0.4, 0.1), "b", ("b",), Status.OK),
        ((0.7, 0.1, 0.2), "a", (), Status.UNSURE),
        ((0.875, 0.375, 0.5), "a", ("a", "c", "b"), Status.OK),
    ],
    ids=["two", "not the best", "none", "all"],
)
def test_a_picture_may_have_several_labels(
    scores: tuple[float, ...], label: str, labels: tuple[str, ...], status: Status
) -> None:
    """All that reach their thresholds, the best first; without any the picture is unsure."""
    prediction = rank(_probabilities(scores), _SEVERAL, 1)
    assert (label, labels, status) == (prediction.label, prediction.labels, prediction.status)


def test_thousands_of_classes_are_ranked_as_a_few_are() -> None:
    """The largest are found without sorting all; equal ones are in the model's order."""
    count = 20_000
    labels = tuple(map(str, range(count)))
    model = Model("m", DIGEST, labels, (0.0,) * count, ResizeRule(8, 8))
    scores = _probabilities(np.random.default_rng(0).integers(0, 500, count) / 500)
    due = np.argsort(-scores, kind="stable")
    for top_k in (0, 1, 5, count):
        prediction = rank(scores, model, top_k)
        assert labels[due[0]] == prediction.label
        assert [labels[at] for at in due[:top_k]] == [label for label, _ in prediction.top]
