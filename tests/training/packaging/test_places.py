"""Where models come from, and how many classes they have; without TensorFlow."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seefood.engines.loading import load_engine
from seefood.errors import UsageError
from seefood_training.packaging.labels import read_labels
from seefood_training.packaging.options import PackageOptions
from seefood_training.packaging.outcome import Packaged
from seefood_training.packaging.package import package_model
from seefood_training.packaging.pixels import PixelChoice
from tests.conftest import Bucket

pytest.importorskip("seefood.engines.onnxruntime_library", reason="the extra onnx is not installed")
pytest.importorskip("onnx", reason="makes the networks")

from tests.onnx_graphs import linear_graph, weights

SAID = PixelChoice("0..1", "bilinear", "stretch")


def _packed(model: str, output: Path, labels: tuple[str, ...] | None, **more: Any) -> Packaged:
    return package_model(model, output, PackageOptions("mine", labels, SAID, **more))


def test_a_model_and_its_labels_in_a_bucket(s3: Bucket, tmp_path: Path) -> None:
    """A folder of a bucket is read as a local one is, with the labels beside the model."""
    file = linear_graph(tmp_path / "model.onnx", weights(2) * 9)
    s3.put("models/pets/model.onnx", file.read_bytes())
    s3.put("models/pets/labels.txt", b"0 cat\n1 dog\n")
    packaged = _packed(f"{s3.uri}/models/pets", tmp_path / "b", None)
    assert ("cat", "dog") == packaged.bundle.labels
    with pytest.raises(UsageError, match=r"there is no model at s3://.*; check the bucket and the"):
        _packed(f"{s3.uri}/models/absent", tmp_path / "c", ("a", "b"))


def test_twenty_thousand_classes(tmp_path: Path) -> None:
    """As many as large catalogues have; the best label has its own name."""
    labels = tuple(f"species {at}" for at in range(20_000))
    file = linear_graph(tmp_path / "model.onnx", weights(len(labels)) * 9)
    packaged = _packed(str(file), tmp_path / "b", labels)
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    scores = images.mean(axis=(1, 2)) / 255 @ (weights(len(labels)) * 9)
    actual = load_engine(packaged.bundle).predict(images)
    np.testing.assert_array_equal(scores.argmax(axis=1), actual.argmax(axis=1))


def test_lobes_signature_names_the_classes(tmp_path: Path) -> None:
    """Lobe writes them into `signature.json`."""
    document = {"doc_name": "Fruit", "classes": {"Label": ["Apple", "Orange", "None"]}}
    (tmp_path / "signature.json").write_text(json.dumps(document))
    assert ("Apple", "Orange", "None") == read_labels(tmp_path / "signature.json")


def test_packaging_needs_no_statistics() -> None:
    """`seefood package` runs where the extra `train` is not installed."""
    code = (
        "import sys; from seefood_training.commands.package import package_command; "
        "from click.testing import CliRunner; "
        "CliRunner().invoke(package_command, ['absent', '--output', 'b']); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "seefood_training.packaging.package" in done.stdout.split()
    assert not {"sklearn", "scipy", "tensorflow"} & set(done.stdout.split())
