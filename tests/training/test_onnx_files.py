"""Weights that an ONNX graph keeps in other files."""

from pathlib import Path

import pytest

from seefood.engines.loading import load_engine
from seefood.errors import UsageError
from seefood.imaging.decode import ResizeRule
from seefood_training.onnx_files import external_files
from seefood_training.sealing import Draft

onnx = pytest.importorskip("onnx", reason="makes the networks")

from seefood.bundle import Adapter  # noqa: E402 (after the check)
from tests.onnx_graphs import SIZE, linear_graph, sealed, weights  # noqa: E402 (as above)


def _with_external_weights(folder: Path, location: str) -> Path:
    source = linear_graph(folder / "plain.onnx", weights(2))
    model = onnx.load(source)
    target = folder / "model.onnx"
    # The size is that of a bytes object, so the few numbers of the axes stay inside.
    onnx.save(model, target, save_as_external_data=True, location="weights.data", size_threshold=55)
    if location != "weights.data":
        tampered = target.read_bytes().replace(b"weights.data", location.encode())
        target.write_bytes(tampered)
    return target


def test_they_come_along(tmp_path: Path) -> None:
    """A bundle of such a graph is whole, and runs."""
    source = _with_external_weights(tmp_path, "weights.data")
    assert ("weights.data",) == external_files(source)
    adapter = Adapter("float32", "nchw", output="scores", activation="softmax")
    draft = Draft("linear", ("a", "b"), ResizeRule(SIZE, SIZE), (0.0, 0.0), adapter=adapter)
    bundle = sealed(source, tmp_path / "bundle", draft)
    assert "assets.extra/weights.data" in bundle.files
    assert "onnxruntime" == load_engine(bundle).name


def test_one_file_has_none(tmp_path: Path) -> None:
    """Weights inside need nothing else."""
    assert () == external_files(linear_graph(tmp_path / "plain.onnx", weights(2)))


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("../ights.dat", "outside its folder"),
        ("/eights.data", "outside its folder"),
        ("another.data", r"keeps its weights in another\.data, which is not beside it"),
    ],
)
def test_a_file_elsewhere_is_refused(location: str, reason: str, tmp_path: Path) -> None:
    """Nothing outside the model's folder is read."""
    with pytest.raises(UsageError, match=reason):
        external_files(_with_external_weights(tmp_path, location))


@pytest.mark.parametrize("data", [b"", b"\x3a", b"\x3a\xff", b"not a graph at all", b"\xff" * 12])
def test_garbage_is_refused_or_has_none(data: bytes, tmp_path: Path) -> None:
    """A file that is no ONNX raises one sentence, never anything else."""
    file = tmp_path / "model.onnx"
    file.write_bytes(data)
    try:
        assert () == external_files(file)
    except UsageError as error:
        assert "damaged or not an ONNX file" in str(error)  # noqa: PT017 (either is right)
