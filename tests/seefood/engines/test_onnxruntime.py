"""ONNX Runtime runs graphs as PyTorch exports them."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seefood.bundle import ONNX_MODEL, Adapter, Bundle, load_bundle, write_bundle
from seefood.engines.devices import CPU, CUDA, cuda_name
from seefood.engines.loading import load_engine
from seefood.errors import BundleError, UsageError
from seefood.imaging.decode import Pixels, ResizeRule
from seefood_training.sealing import Draft
from tests.bundles import fake_bundle

pytest.importorskip("seefood.engines.onnxruntime_library", reason="the extra onnx is not installed")
pytest.importorskip("onnx", reason="makes the networks")

from onnx import TensorProto

from seefood.engines.onnxruntime import OnnxRuntimeEngine
from tests.onnx_graphs import SIZE, linear_graph, sealed, weights

LABELS = ("cat", "dog", "bird")
IMAGES = np.random.default_rng(0).integers(0, 256, (9, SIZE, SIZE, 3), dtype=np.uint8)
NCHW = Adapter("float32", "nchw", scale=(1 / 255,), output="scores", activation="softmax")


def _bundle(folder: Path, adapter: Adapter, **graph: object) -> Bundle:
    source = linear_graph(folder / "model.onnx", weights(3), **graph)  # type: ignore[arg-type]
    draft = Draft("linear", LABELS, ResizeRule(SIZE, SIZE), (0.0,) * 3, adapter=adapter)
    return sealed(source, folder / "bundle", draft)


def _due(images: Pixels) -> "np.typing.NDArray[np.float64]":
    scores = images.mean(axis=(1, 2)) / 255 @ weights(3)
    return np.asarray(np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True))


@pytest.mark.parametrize(
    ("adapter", "graph"),
    [
        (NCHW, {}),
        (replace(NCHW, output=1), {}),
        (replace(NCHW, batch=1), {"shape": (1, 3, SIZE, SIZE)}),
        (replace(NCHW, batch=4), {"shape": (4, 3, SIZE, SIZE)}),
        (replace(NCHW, layout="chw"), {"shape": (3, SIZE, SIZE), "axes": (1, 2)}),
        (replace(NCHW, layout="nhwc"), {"shape": ("n", SIZE, SIZE, 3), "axes": (1, 2)}),
        (replace(NCHW, dtype="float16"), {"dtype": TensorProto.FLOAT16}),
        (replace(NCHW, activation="none"), {"last": "Softmax"}),
        (NCHW, {"shape": ("n", "c", "h", "w")}),
    ],
    ids=["nchw", "index", "one", "four", "no batch", "nhwc", "float16", "softmax", "open"],
)
def test_graphs_of_any_form(adapter: Adapter, graph: dict[str, object], tmp_path: Path) -> None:
    """Each gives the author's probabilities, alone and in batches, from any thread."""
    engine = load_engine(_bundle(tmp_path, adapter, **graph))
    assert "onnxruntime" == engine.name
    tolerance = 1e-3 if adapter.dtype == "float16" else 1e-5
    np.testing.assert_allclose(_due(IMAGES), engine.predict(IMAGES), atol=tolerance)
    with ThreadPoolExecutor(4) as pool:
        alone = list(pool.map(lambda at: engine.predict(IMAGES[at : at + 1])[0], range(9)))
    np.testing.assert_allclose(_due(IMAGES), alone, atol=tolerance)


def test_a_graph_of_another_shape_is_refused(tmp_path: Path) -> None:
    """The sentence names what the graph takes and what the bundle describes."""
    with pytest.raises(BundleError, match=r"takes tensor\(float\) \('batch', 3, 16, 16\) where"):
        _bundle(tmp_path, replace(NCHW, layout="nhwc"))
    with pytest.raises(BundleError, match="has no output 'logits'; it has features, scores"):
        _bundle(tmp_path, replace(NCHW, output="logits"))
    with pytest.raises(BundleError, match="which are not probabilities"):
        _bundle(tmp_path, replace(NCHW, activation="none"))


def test_another_number_of_labels_is_refused(tmp_path: Path) -> None:
    """Rows would name the wrong classes."""
    source = linear_graph(tmp_path / "model.onnx", weights(4))
    draft = Draft("linear", LABELS, ResizeRule(SIZE, SIZE), (0.0,) * 3, adapter=NCHW)
    with pytest.raises(BundleError, match="returns 4 numbers for a picture and has 3 labels"):
        sealed(source, tmp_path / "bundle", draft)


def test_no_graph_and_a_damaged_one(tmp_path: Path) -> None:
    """Both are one sentence."""
    with pytest.raises(BundleError, match=r"no assets\.extra/model\.onnx; use `--engine litert`"):
        load_engine(fake_bundle(tmp_path / "fake"), "onnxruntime")
    bundle = _bundle(tmp_path, NCHW)
    bundle.file(ONNX_MODEL).write_bytes(b"not a graph")
    with pytest.raises(BundleError, match="ONNX Runtime cannot load"):
        load_engine(write_bundle(bundle.path, bundle.spec))


def test_engines_without_their_graph_name_the_one_that_has(tmp_path: Path) -> None:
    """The cure works: the engine that is named runs the bundle."""
    bundle = _bundle(tmp_path, NCHW)
    for name in ("litert", "openvino"):
        with pytest.raises((BundleError, UsageError), match="use `--engine onnxruntime`"):
            load_engine(bundle, name)
    assert load_engine(load_bundle(bundle.path), "onnxruntime").name == "onnxruntime"


def test_without_the_device_the_processor_computes(tmp_path: Path) -> None:
    """A build without CUDA, or without NVIDIA's libraries, gives the same answers, and says so."""
    bundle = _bundle(tmp_path, NCHW)
    engine = OnnxRuntimeEngine(bundle, device=CUDA)
    if cuda_name() is None:
        assert CPU == engine.device
    np.testing.assert_allclose(_due(IMAGES), engine.predict(IMAGES), atol=0.01)


def test_no_telemetry_is_sent() -> None:
    """The variable must be set before the library is loaded; other modules may not import it."""
    assert "1" == os.environ["ORT_DISABLE_TELEMETRY"]
