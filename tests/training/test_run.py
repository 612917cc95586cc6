"""`seefood train` from end to end, on pictures that the project draws."""

from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("tensorflow", reason="training needs TensorFlow")

from seefood.bundle import load_bundle
from seefood.errors import UsageError
from seefood.synthetic import draw_picture
from seefood_training.commands.train import train_command
from seefood_training.fit_types import Schedule
from seefood_training.run import Request, train

KINDS = {"hotdog": "hotdog_mustard", "pizza": "pizza", "house": "house"}


@pytest.fixture(scope="module")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of drawn pictures, split, with one file that is no picture."""
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
    """A command makes a bundle that loads, with figures of test photos, and pictures beside it."""
    output = tmp_path / "bundle"
    options = ["--network", "lenet5", "--image-size", "32", "--epochs", "2", "--quiet"]
    result = CliRunner().invoke(
        train_command, [str(drawings), "--output", str(output), *options], catch_exceptions=False
    )
    bundle = load_bundle(output)

    assert ("hotdog", "pizza", "house") == bundle.labels
    assert 6 == bundle.spec.metrics["test"]["pictures"]
    assert "# Model card: bundle" in (output / "assets.extra" / "MODEL_CARD.md").read_text()
    beside = {file.name for file in (tmp_path / "bundle-training").iterdir()}
    assert {"photos.jpg", "augmentation.jpg", "curves.png", "epochs.json"} == beside
    assert "notes.txt" in result.stderr
    assert bundle.digest[:12] in result.output


def test_existing_output(drawings: Path, tmp_path: Path) -> None:
    """A bundle that is there is not replaced unasked, and nothing is trained for that."""
    (tmp_path / "bundle").mkdir()

    with pytest.raises(UsageError, match="--overwrite"):
        train(Request(str(drawings), tmp_path / "bundle", "lenet5", schedule=Schedule(epochs=1)))


def test_unknown_network(drawings: Path, tmp_path: Path) -> None:
    """A network that is not in the zoo is refused before a photo is decoded."""
    with pytest.raises(UsageError, match="no network 'vgg'"):
        train(Request(str(drawings), tmp_path / "bundle", "vgg"))

    assert not (tmp_path / "bundle-training").exists()
