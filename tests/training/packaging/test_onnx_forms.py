"""ONNX files that people have: rounded, sorted, with weights elsewhere, beside a config."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seefood.engines.loading import load_engine
from seefood.errors import UsageError
from seefood_training.packaging.options import PackageOptions
from seefood_training.packaging.outcome import Packaged
from seefood_training.packaging.package import package_model
from seefood_training.packaging.pixels import PixelChoice

pytest.importorskip("seefood.engines.onnxruntime_library", reason="the extra onnx is not installed")
onnx = pytest.importorskip("onnx", reason="makes the networks")

from tests.onnx_graphs import SIZE, linear_graph, weights  # noqa: E402 (after the check)

KNOWN = PixelChoice("0..1", "bilinear", "stretch")
MATRIX = weights(4) * 9
PICTURES = np.random.default_rng(0).integers(0, 256, (4, SIZE, SIZE, 3), dtype=np.uint8)


def _packed(source: Path, labels: tuple[str, ...] | None = ("a", "b", "c", "d")) -> Packaged:
    options = PackageOptions("mine", labels, KNOWN)
    return package_model(str(source), source.parent / "bundle", options)


def _own() -> np.ndarray:
    scores = np.exp(PICTURES.mean(axis=(1, 2)) / 255 @ MATRIX)
    return np.asarray(scores / scores.sum(axis=1, keepdims=True))


def _with_nodes(folder: Path, nodes: list[Any], outputs: list[Any], **constants: Any) -> Path:
    """Write a graph whose `scores`, a softmax, go through further nodes."""
    model = onnx.load(linear_graph(folder / "plain.onnx", MATRIX, last="Softmax"))
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(
        onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()
    )
    del model.graph.output[:]
    model.graph.output.extend(outputs)
    domains = {node.domain for node in nodes if node.domain}
    model.opset_import.extend(onnx.helper.make_opsetid(each, 1) for each in domains)
    (folder / "plain.onnx").unlink()
    onnx.save(model, folder / "m.onnx")
    return folder / "m.onnx"


def test_sorted_scores_are_refused(tmp_path: Path) -> None:
    """The first number of a `TopK` belongs to another label for each picture."""
    node = onnx.helper.make_node("TopK", ["scores", "k"], ["best", "which"])
    outputs = [
        onnx.helper.make_tensor_value_info("best", onnx.TensorProto.FLOAT, ("n", 4)),
        onnx.helper.make_tensor_value_info("which", onnx.TensorProto.INT64, ("n", 4)),
    ]
    source = _with_nodes(tmp_path, [node], outputs, k=np.array([4], np.int64))
    with pytest.raises(UsageError, match=r"output best of graph is sorted \(TopK\)"):
        _packed(source)


def test_noise_too_small_to_be_seen(tmp_path: Path) -> None:
    """The operation tells, where two runs hardly differ."""
    make = onnx.helper.make_node
    nodes = [
        make("RandomNormalLike", ["scores"], ["noise"], scale=1e-5),
        make("Add", ["scores", "noise"], ["noisy"]),
    ]
    output = onnx.helper.make_tensor_value_info("noisy", onnx.TensorProto.FLOAT, ("n", 4))
    with pytest.raises(UsageError, match=r"RandomNormalLike draws random .*`model\.eval\(\)`"):
        _packed(_with_nodes(tmp_path, nodes, [output]))


def test_an_operation_of_its_maker(tmp_path: Path) -> None:
    """The sentence names what ONNX Runtime lacks."""
    node = onnx.helper.make_node("Fancy", ["scores"], ["own"], domain="com.acme")
    output = onnx.helper.make_tensor_value_info("own", onnx.TensorProto.FLOAT, ("n", 4))
    with pytest.raises(UsageError, match=r"operation com.acme:Fancy, which .* does not have"):
        _packed(_with_nodes(tmp_path, [node], [output]))


def test_scores_without_an_axis_of_pictures(tmp_path: Path) -> None:
    """A network of one picture may return one row."""
    source = linear_graph(tmp_path / "m.onnx", MATRIX, shape=(1, 3, SIZE, SIZE), last="Softmax")
    model = onnx.load(source)
    model.graph.node.append(onnx.helper.make_node("Squeeze", ["scores"], ["row"]))
    del model.graph.output[:]
    output = onnx.helper.make_tensor_value_info("row", onnx.TensorProto.FLOAT, (4,))
    model.graph.output.append(output)
    onnx.save(model, source)
    actual = load_engine(_packed(source).bundle).predict(PICTURES)
    np.testing.assert_allclose(actual, _own(), atol=1e-5)


def test_rounded_probabilities(tmp_path: Path) -> None:
    """8 bits do not sum to one; they are probabilities all the same."""
    make = onnx.helper.make_node
    nodes = [
        make("QuantizeLinear", ["scores", "s", "z"], ["q"]),
        make("DequantizeLinear", ["q", "s", "z"], ["rounded"]),
    ]
    output = onnx.helper.make_tensor_value_info("rounded", onnx.TensorProto.FLOAT, ("n", 4))
    numbers = {"s": np.float32(1 / 60), "z": np.uint8(0)}
    packaged = _packed(_with_nodes(tmp_path, nodes, [output], **numbers))
    actual = load_engine(packaged.bundle).predict(PICTURES)
    np.testing.assert_allclose(actual, _own(), atol=0.01)


def test_a_dictionary_for_each_picture_is_refused(tmp_path: Path) -> None:
    """scikit-learn's classifiers end in one; the sentence says how to export them without."""
    node = onnx.helper.make_node(
        "ZipMap", ["scores"], ["maps"], domain="ai.onnx.ml", classlabels_int64s=[0, 1, 2, 3]
    )
    kind = onnx.helper.make_map_type_proto(
        onnx.TensorProto.INT64, onnx.helper.make_tensor_type_proto(onnx.TensorProto.FLOAT, None)
    )
    output = onnx.helper.make_value_info("maps", onnx.helper.make_sequence_type_proto(kind))
    with pytest.raises(UsageError, match=r"options=\{'zipmap': False\}"):
        _packed(_with_nodes(tmp_path, [node], [output]))


def test_one_scale_for_a_batch(tmp_path: Path) -> None:
    """A dynamically quantised graph is run a picture at a time, so that none changes another."""
    quantization = pytest.importorskip("onnxruntime.quantization", exc_type=ImportError)
    plain = linear_graph(tmp_path / "plain.onnx", MATRIX, last="Softmax")
    quantization.quantize_dynamic(plain, tmp_path / "m.onnx")
    plain.unlink()
    packaged = _packed(tmp_path / "m.onnx")
    adapter = packaged.bundle.spec.adapter
    assert adapter is not None
    assert 1 == adapter.batch
    engine = load_engine(packaged.bundle)
    alone = np.concatenate([engine.predict(each[np.newaxis]) for each in PICTURES])
    np.testing.assert_allclose(engine.predict(PICTURES), alone, atol=1e-6)
    np.testing.assert_allclose(alone, _own(), atol=0.05)


def test_weights_that_the_runtime_cannot_read(tmp_path: Path) -> None:
    """Small constants in other files are refused; the code in the message makes one file."""
    model = onnx.load(linear_graph(tmp_path / "plain.onnx", MATRIX, last="Softmax"))
    (tmp_path / "plain.onnx").unlink()
    file, whole = tmp_path / "model.onnx", tmp_path / "one" / "whole.onnx"
    onnx.save(model, file, save_as_external_data=True, location="w.data", size_threshold=0)
    with pytest.raises(UsageError, match=r"`onnx\.save\(.*\)`") as caught:
        _packed(file)
    code = str(caught.value).split("`")[-2]
    whole.parent.mkdir()
    code = code.replace("model.onnx", str(file)).replace("whole.onnx", str(whole))
    exec(code, {"onnx": onnx})  # noqa: S102 (the cure)
    np.testing.assert_allclose(
        load_engine(_packed(whole).bundle).predict(PICTURES), _own(), atol=1e-4
    )


def test_the_labels_of_a_hub(tmp_path: Path) -> None:
    """Hugging Face's `config.json` names the classes."""
    config = {"id2label": {"0": "w", "1": "x", "2": "y", "3": "z"}}
    folder = tmp_path / "export"
    (folder / "onnx").mkdir(parents=True)
    linear_graph(folder / "onnx" / "model.onnx", MATRIX, last="Softmax")
    (folder / "config.json").write_text(json.dumps(config))
    packaged = package_model(str(folder), tmp_path / "b", PackageOptions("mine", None, KNOWN))
    assert ("w", "x", "y", "z") == packaged.bundle.labels
