"""The zip of a bundle that has only an ONNX graph, under Lambda's runtime client."""

import base64
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from infra.build_lambda_zip import MAX_UNPACKED_BYTES, build_zip
from tests.conftest import ROOT
from tests.lambda_runtime import copy_client, running_function
from tests.pictures import jpeg

pytest.importorskip("seefood.engines.onnxruntime_library", reason="the extra onnx is not installed")
pytest.importorskip("onnx", reason="makes the network")

from seefood.bundle import Adapter
from seefood.imaging.resize_rule import ResizeRule
from seefood_training.sealing import Draft
from tests.onnx_graphs import SIZE, linear_graph, sealed, weights

pytestmark = pytest.mark.slow

LABELS = ("red", "green", "blue")
COLOURS = {"red": (250, 10, 10), "green": (10, 250, 10), "blue": (10, 10, 250)}


def test_onnx_runtime_takes_the_place_of_litert(tmp_path: Path) -> None:
    """The function labels pictures with ONNX Runtime; neither LiteRT nor a server is in the zip."""
    matrix = weights(3) * 0
    matrix[[0, 1, 2], [0, 1, 2]] = 0.05
    graph = linear_graph(tmp_path / "plain.onnx", matrix)
    adapter = Adapter("float32", "nchw", output="scores", activation="softmax")
    draft = Draft("colours", LABELS, ResizeRule(SIZE, SIZE), (0.0,) * 3, adapter=adapter)
    bundle = sealed(graph, tmp_path / "bundle", draft)
    source = tmp_path / "source"
    for name in ("lambda", "seefood"):
        shutil.copytree(ROOT / name, source / name)
    shutil.copy(ROOT / "constraints.txt", source)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    package = build_zip(tmp_path / "l.zip", python=python, model=bundle.path, source=source)
    assert package.unpacked_bytes < MAX_UNPACKED_BYTES
    with zipfile.ZipFile(package.path) as archive:
        archive.extractall(tmp_path / "task")
    print(f"{package.zipped_bytes:,} bytes, {package.unpacked_bytes:,} unpacked")  # noqa: T201 (-s)
    assert not (tmp_path / "task" / "ai_edge_litert").exists()

    client, log = copy_client(tmp_path / "client"), tmp_path / "log"
    with running_function(tmp_path / "task", client, {"AWS_REGION": "us-east-1"}, log) as function:
        rows = [
            function.api.invoke({"image": base64.b64encode(jpeg(colour)).decode()})
            for colour in COLOURS.values()
        ]
    assert list(COLOURS) == [row["label"] for row in rows]
    assert {("onnxruntime", bundle.digest)} == {
        (row["engine"], row["model_digest"]) for row in rows
    }
