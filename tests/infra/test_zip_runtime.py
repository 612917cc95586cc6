"""The Lambda zip contains the runtime of the bundle's graph."""

from pathlib import Path

import pytest

from infra.build_lambda_zip import runtime_of


@pytest.mark.parametrize(
    ("files", "wheel"),
    [
        (["model.tflite"], "ai-edge-litert"),
        (["model.onnx"], "onnxruntime"),
        (["model.onnx", "model.tflite"], "ai-edge-litert"),
    ],
)
def test_the_runtime_follows_the_graph(files: list[str], wheel: str, tmp_path: Path) -> None:
    """LiteRT where there is its graph, else ONNX Runtime."""
    (tmp_path / "assets.extra").mkdir()
    for file in files:
        (tmp_path / "assets.extra" / file).touch()
    assert wheel == runtime_of(tmp_path)


def test_a_bundle_without_either_is_refused(tmp_path: Path) -> None:
    """TensorFlow does not fit into the zip."""
    with pytest.raises(ValueError, match="no bundle with a LiteRT or ONNX graph"):
        runtime_of(tmp_path)
