"""A further output of a graph: the features, without another file and without other scores."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seefood.bundle import LITERT_MODEL, Bundle, load_bundle
from seefood.engines.base import FeatureEngine
from seefood.engines.extra_output import with_litert_output, with_onnx_output
from seefood.engines.loading import load_engine
from seefood.errors import BundleError
from seefood.records import Vector
from tests.pictures import noise


@pytest.fixture(scope="module")
def bundle(bundle_path: Path) -> Bundle:
    """Return the built-in bundle."""
    return load_bundle(bundle_path)


def test_features_change_no_score(bundle: Bundle) -> None:
    """The probabilities with and without features are equal bit by bit."""
    rule = bundle.spec.rule
    images = np.stack([noise(rule.height, rule.width, seed) for seed in range(3)])
    plain = load_engine(bundle, "litert")
    engine = load_engine(bundle, "litert", features=True)
    assert isinstance(engine, FeatureEngine)
    probabilities, features = engine.predict_with_features(images)
    np.testing.assert_array_equal(plain.predict(images), probabilities)
    assert bundle.features is not None
    assert (3, bundle.features.dimension) == features.shape
    assert np.unique(features[0]).size > 100


def test_features_are_certified(bundle: Bundle) -> None:
    """An engine whose features are not the bundle's is refused."""
    spec = bundle.features
    assert spec is not None
    wrong = {file: Vector(1.0, each.values) for file, each in spec.goldens.items()}
    with pytest.raises(BundleError, match=r"features of assets\.extra/golden"):
        load_engine(replace(bundle, features=replace(spec, goldens=wrong)), "litert", features=True)


def test_a_bundle_without_features_says_so(bundle: Bundle) -> None:
    """It loads as before; asking for its features names the command that adds them."""
    old = replace(bundle, features=None)
    assert "litert" == load_engine(old).name
    with pytest.raises(BundleError, match="seefood features"):
        load_engine(old, "litert", features=True)
    spec = replace(bundle.spec, cascade_threshold=0.9)
    with pytest.raises(BundleError, match="cascade"):
        load_engine(replace(bundle, spec=spec), "litert", features=True)


def test_openvino_gives_the_same_features(bundle: Bundle) -> None:
    """Those of LiteRT, up to rounding, and its own scores bit by bit."""
    images = np.random.default_rng(3).integers(0, 256, (2, *bundle.spec.rule.shape), np.uint8)
    litert, openvino = (load_engine(bundle, name, features=True) for name in ("litert", "openvino"))
    assert isinstance(litert, FeatureEngine)
    assert isinstance(openvino, FeatureEngine)
    _, expected = litert.predict_with_features(images)
    probabilities, features = openvino.predict_with_features(images)
    np.testing.assert_allclose(expected, features, atol=1e-4)
    np.testing.assert_array_equal(load_engine(bundle, "openvino").predict(images), probabilities)


def test_the_file_stays_a_graph(bundle: Bundle) -> None:
    """Only the list of outputs is new: what was there is there, apart from one offset."""
    flat = bundle.file(LITERT_MODEL).read_bytes()
    longer = with_litert_output(flat, 7)
    assert len(longer) <= len(flat) + 20
    differing = sum(a != b for a, b in zip(flat, longer, strict=False))
    assert 1 <= differing <= 4


@pytest.mark.parametrize("data", [b"", b"no graph", bytes(64)], ids=["empty", "text", "zeros"])
def test_what_is_no_graph_is_refused(data: bytes) -> None:
    """With `ValueError`."""
    with pytest.raises(ValueError, match="tflite"):
        with_litert_output(data, 1)


def test_an_onnx_output_is_appended() -> None:
    """A `GraphProto` with one output: field 7 holds field 12 holds field 1."""
    assert b"model\x3a\x0f\x62\x0d\x0a\x0bglobal_pool" == with_onnx_output(b"model", "global_pool")
