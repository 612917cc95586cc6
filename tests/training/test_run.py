"""`seefood train` end to end, on drawings."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("tensorflow", reason="training needs TensorFlow")

from seefood.bundle import load_bundle
from seefood.errors import UsageError
from seefood.synthetic import draw_picture
from seefood_training.commands.train import train_command
from seefood_training.fit_types import Schedule
from seefood_training.run import train
from seefood_training.run_types import Request

KINDS = {"hotdog": "hotdog_mustard", "pizza": "pizza", "house": "house"}


@pytest.fixture(scope="module")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with three classes of drawings and one file that is not a picture."""
    folder = tmp_path_factory.mktemp("drawings")
    for split, seeds in (("train", range(2000, 2012)), ("test", range(3000, 3002))):
        for label, kind in KINDS.items():
            (folder / split / label).mkdir(parents=True)
            for seed in seeds:
                picture = draw_picture(kind, seed, (48, 40))
                picture.save(folder / split / label / f"{seed}.png")
    (folder / "train" / "house" / "notes.txt").write_text("no picture")
    return folder


def test_train(drawings: Path, tmp_path: Path) -> None:
    """The command makes a bundle with test figures, and a folder with images beside it."""
    output = tmp_path / "bundle"
    options = ["--network", "lenet5", "--image-size", "32", "--epochs", "1", "--quiet"]
    result = CliRunner().invoke(
        train_command, [str(drawings), "--output", str(output), *options], catch_exceptions=False
    )
    bundle = load_bundle(output)

    assert ("hotdog", "house", "pizza") == bundle.labels
    assert 6 == bundle.spec.metrics["test"]["pictures"]
    manifest = json.loads((output / "assets.extra" / "bundle.json").read_text())
    assert {"training": 30, "validation": 6} == manifest["training"]["photos"]
    assert "# Model card: bundle" in (output / "assets.extra" / "MODEL_CARD.md").read_text()
    beside = {file.name for file in (tmp_path / "bundle-training").iterdir()}
    assert {"photos.jpg", "augmentation.jpg", "curves.png", "epochs.json"} == beside
    assert "notes.txt" in result.stderr
    assert bundle.digest[:12] in result.output


def test_existing_output(drawings: Path, tmp_path: Path) -> None:
    """Without `--overwrite` an existing bundle is a usage error before any training."""
    (tmp_path / "bundle").mkdir()

    with pytest.raises(UsageError, match="--overwrite"):
        train(Request(str(drawings), tmp_path / "bundle", "lenet5", schedule=Schedule(epochs=1)))


def test_unknown_network(drawings: Path, tmp_path: Path) -> None:
    """An unknown network is a usage error before a photo is decoded."""
    with pytest.raises(UsageError, match="no network 'vgg'"):
        train(Request(str(drawings), tmp_path / "bundle", "vgg"))

    assert not (tmp_path / "bundle-training").exists()


def test_weights_without_network(drawings: Path, tmp_path: Path) -> None:
    """Weights without a network are a usage error before a photo is read."""
    with pytest.raises(UsageError, match="--network"):
        train(Request(str(drawings), tmp_path / "bundle", weights="imagenet"))

    assert not (tmp_path / "bundle-training").exists()
