"""Adapters turn pixels into the input of any graph, and any output into probabilities."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seefood.bundle import Adapter, Quantisation
from seefood.engines.adapting import GraphAdapter
from seefood.imaging.decode import ResizeRule
from tests.bundles import fake_bundle

Values = np.typing.NDArray[np.float64]
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3), dtype=np.uint8)
RULE = ResizeRule(4, 5)
MEAN, DEVIATION = np.asarray([0.485, 0.456, 0.406]), np.asarray([0.229, 0.224, 0.225])
IMAGENET = Adapter(
    "float32", "nchw", tuple(1 / (255 * DEVIATION)), tuple(-MEAN / DEVIATION), activation="softmax"
)


def _adapter(folder: Path, adapter: Adapter | None, rule: ResizeRule = RULE) -> GraphAdapter:
    bundle = fake_bundle(folder)
    return GraphAdapter(replace(bundle, spec=replace(bundle.spec, adapter=adapter, rule=rule)))


def test_without_an_adapter_nothing_is_copied(tmp_path: Path) -> None:
    """Pixels and probabilities pass as they are."""
    adapter = _adapter(tmp_path, None)
    assert adapter.prepare(IMAGES) is IMAGES or np.shares_memory(adapter.prepare(IMAGES), IMAGES)
    scores = np.asarray([[0.25, 0.75]], np.float32)
    np.testing.assert_array_equal(scores, adapter.finish(scores, 1))


@pytest.mark.parametrize(
    ("adapter", "expected"),
    [
        (Adapter("float32", scale=(1 / 255,)), IMAGES / 255),
        (Adapter("float64", scale=(1 / 127.5,), offset=(-1.0,)), IMAGES / 127.5 - 1),
        (IMAGENET, ((IMAGES / 255 - MEAN) / DEVIATION).transpose(0, 3, 1, 2)),
        (Adapter("float32", order="bgr", offset=(-1, -2, -3)), (IMAGES - [1.0, 2, 3])[..., ::-1]),
        (Adapter("uint8", order="bgr"), IMAGES[..., ::-1]),
        (Adapter("uint8", "nchw"), IMAGES.transpose(0, 3, 1, 2)),
        (Adapter("uint8", "chw", order="bgr"), IMAGES[..., ::-1].transpose(0, 3, 1, 2)),
        (Adapter("int32", "flat"), IMAGES.reshape(2, -1)),
        (Adapter("float16", "hwc", scale=(2.0,)), IMAGES * 2.0),
        (Adapter("int8", offset=(-128.0,)), IMAGES.astype(int) - 128),
        (
            Adapter("int8", scale=(1 / 255,), input_quantisation=Quantisation(1 / 255, -128)),
            IMAGES.astype(int) - 128,
        ),
        (Adapter("uint8", scale=(2.0,)), np.minimum(IMAGES.astype(int) * 2, 255)),
    ],
    ids=lambda value: f"{value.dtype}-{value.layout}" if isinstance(value, Adapter) else "",
)
def test_inputs(
    adapter: Adapter, expected: "np.typing.NDArray[np.float64]", tmp_path: Path
) -> None:
    """`pixel * scale + offset`, rounded to the type, in the axes and channels that are asked."""
    actual = _adapter(tmp_path, adapter).prepare(IMAGES)
    assert (adapter.dtype, expected.shape) == (str(actual.dtype), actual.shape)
    assert actual.flags.c_contiguous
    np.testing.assert_allclose(
        actual.astype(float), expected, rtol=1e-3 if adapter.dtype == "float16" else 1e-6, atol=1e-5
    )


def test_grey_may_have_no_axis(tmp_path: Path) -> None:
    """`nhw` is for grey networks without an axis of channels."""
    grey = IMAGES[..., :1]
    rule = ResizeRule(4, 5, channels="grey")
    adapter = _adapter(tmp_path, Adapter("float32", "nhw", scale=(1 / 255,)), rule)
    assert (1, 4, 5) == adapter.shape(1)
    np.testing.assert_allclose(grey[..., 0] / 255, adapter.prepare(grey).astype(float), rtol=1e-6)


LOGITS = np.asarray([[1000.0, 999.0], [-1.0, 2.0]], np.float32)


@pytest.mark.parametrize(
    ("adapter", "output", "expected"),
    [
        (Adapter(activation="softmax"), LOGITS, [[0.731059, 0.268941], [0.047426, 0.952574]]),
        (Adapter(activation="sigmoid"), LOGITS, [[1.0, 1.0], [0.268941, 0.880797]]),
        (Adapter(positive=1), np.asarray([0.2, 0.9]), [[0.8, 0.2], [0.1, 0.9]]),
        (Adapter(positive=0), np.asarray([[0.2], [0.9]]), [[0.2, 0.8], [0.9, 0.1]]),
        (
            Adapter(positive=1, activation="sigmoid"),
            np.asarray([[-1000.0], [0.0]]),
            [[1.0, 0.0], [0.5, 0.5]],
        ),
        (
            Adapter(output_quantisation=Quantisation(1 / 256, -128)),
            np.asarray([[[[-128, 127]]], [[[0, 0]]]], np.int8),
            [[0.0, 0.99609375], [0.5, 0.5]],
        ),
    ],
    ids=["softmax", "sigmoid", "second of two", "first of two", "logit of two", "int8"],
)
def test_outputs(
    adapter: Adapter,
    output: "np.typing.NDArray[np.float64]",
    expected: list[list[float]],
    tmp_path: Path,
) -> None:
    """Float32 of shape `(n, labels)`, whatever the graph returns."""
    actual = _adapter(tmp_path, adapter).finish(output, 2)
    assert np.float32 == actual.dtype
    np.testing.assert_allclose(actual, expected, atol=1e-6)
