"""`seefood train` from pretrained weights, end to end, with a small network and drawings."""

from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="training needs TensorFlow")

import keras

from seefood.bundle import Bundle
from seefood.synthetic import draw_picture
from seefood_training.fit_types import Schedule
from seefood_training.networks import NetworkChoice, NetworkSpec, Weights, register
from seefood_training.run import train
from seefood_training.run_types import Progress, Request

KINDS = {"hotdog": "hotdog_mustard", "pizza": "pizza", "house": "house"}


def _small(choice: NetworkChoice, weights: Weights) -> keras.Model:
    """Return a convolution with a classifier; its fixed kernels stand for pretrained ones."""
    del weights
    keras.utils.set_random_seed(1)
    layers = keras.layers
    pixels = keras.Input(choice.shape)
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(pixels)
    x = layers.Conv2D(24, 5, 2, activation="relu", name="backbone")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(pixels, layers.Dense(choice.classes, name="logits")(x), name="small")


register(NetworkSpec("small_pretrained", 32, _small))


@pytest.fixture(scope="module")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with three classes of twelve drawings to train on and two to test."""
    folder = tmp_path_factory.mktemp("drawings")
    for split, seeds in (("train", range(2000, 2012)), ("test", range(3000, 3002))):
        for label, kind in KINDS.items():
            (folder / split / label).mkdir(parents=True)
            for seed in seeds:
                picture = draw_picture(kind, seed, (48, 40))
                picture.save(folder / split / label / f"{seed}.png")
    return folder


def _train(drawings: Path, output: Path, told: list[str]) -> Bundle:
    output.parent.mkdir(exist_ok=True)
    weights = output.with_suffix(".weights")
    weights.write_bytes(b"stands for weights")

    def observe(progress: Progress) -> None:
        if progress.stage == "told":
            told.append(progress.note)

    schedule = Schedule(epochs=1, batch_size=8)
    request = Request(str(drawings), output, "small_pretrained", weights=weights, schedule=schedule)
    return train(request, observe).bundle


def test_from_probe(drawings: Path, tmp_path: Path) -> None:
    """The probe is cross-validated, what is kept is told and recorded, and not all is `unsure`."""
    told: list[str] = []
    bundle = _train(drawings, tmp_path / "bundle", told)
    record = bundle.spec.training

    assert any(line.startswith("linear probe on small_pretrained") for line in told)
    assert any("kept:" in line for line in told)
    assert any(line.startswith("asked: at most 1.0% mistakes") for line in told)
    assert 7 == record["folds"]
    assert record["unsure"]["unsure"] <= 0.3
    validation = bundle.spec.metrics["validation"]
    assert validation["accuracy"]["value"] >= record["probe_accuracy"] - 0.2
    assert 6 == bundle.spec.metrics["test"]["pictures"]


def test_same_training_gives_the_same_digest(drawings: Path, tmp_path: Path) -> None:
    """Two runs, also in one process and of different duration, give bundles of one digest."""
    first = _train(drawings, tmp_path / "one" / "bundle", [])
    again = _train(drawings, tmp_path / "two" / "bundle", [])

    assert first.digest == again.digest
