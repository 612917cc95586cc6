"""`seefood train` from pretrained weights, end to end, with a small network and drawings."""

from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="training needs TensorFlow")

import keras

from seefood.bundle import Bundle
from seefood.errors import UsageError
from seefood.synthetic import draw_picture
from seefood_training.fit_types import EnoughError, Schedule
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


def _train(
    drawings: Path,
    output: Path,
    told: list[str],
    ends: str = "",
    reject: float | None = None,
    epochs: int = 1,
) -> Bundle:
    """Train from pretrained weights; the stage `ends` is ended as early as can be."""
    output.parent.mkdir(exist_ok=True)
    weights = output.with_suffix(".weights")
    weights.write_bytes(b"stands for weights")

    def observe(progress: Progress) -> None:
        if progress.stage == "told":
            told.append(progress.note)
        elif progress.stage == ends:
            raise EnoughError

    schedule = Schedule(epochs=epochs, batch_size=8)
    request = Request(
        str(drawings),
        output,
        "small_pretrained",
        weights=weights,
        schedule=schedule,
        variants=True,
        reject_unknown=reject,
    )
    return train(request, observe).bundle


@pytest.fixture(scope="module")
def trained(drawings: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, list[str]]:
    """Return a bundle of the drawings, and what was told while it was made."""
    told: list[str] = []
    bundle = _train(drawings, tmp_path_factory.mktemp("trained") / "bundle", told)
    return bundle, told


def test_from_probe(trained: tuple[Bundle, list[str]]) -> None:
    """The probe is cross-validated, what is kept is told and recorded, and not all is `unsure`."""
    bundle, told = trained
    record = bundle.spec.training

    assert any(line.startswith("linear probe on small_pretrained") for line in told)
    assert any("kept:" in line for line in told)
    assert any(line.startswith("asked: at most 1.0% mistakes") for line in told)
    assert 7 == record["folds"]
    assert record["probe_accuracy"] == record["probe_accuracy_by_seed"][0]
    assert 3 == len(record["probe_accuracy_by_seed"])
    assert record["unsure"]["unsure"] <= 0.3
    validation = bundle.spec.metrics["validation"]
    assert validation["accuracy"]["value"] >= record["probe_accuracy"] - 0.2
    assert 6 == bundle.spec.metrics["test"]["pictures"]


def test_knows_its_photos(trained: tuple[Bundle, list[str]]) -> None:
    """A trained bundle can tell drift, and how right its scores are, without another command."""
    reference = trained[0].reference

    assert reference is not None
    assert 36 == reference.fingerprint.rows
    assert "novelty" in reference.fingerprint.numbers
    answers = sum(map(sum, reference.right.values()))
    assert 24 < answers <= 36  # cross-validated, of three classes that are easily told apart


def test_rejects_unknown_pictures_and_ends_early(drawings: Path, tmp_path: Path) -> None:
    """`--reject-unknown` sets the limit of novelty, and no variant that would ignore it is made.

    Ended in the first epoch, the probe is the result.
    """
    told: list[str] = []
    bundle = _train(drawings, tmp_path / "bundle", told, ends="training", reject=0.1)

    assert bundle.spec.rejection is not None
    assert not bundle.variants
    assert any("it would not reject unknown pictures" in line for line in told)
    assert (0.0, 0) == (bundle.spec.training["tuned"], bundle.spec.training["runs"])
    assert {"photos.jpg", "augmentation.jpg"} == {
        file.name for file in (tmp_path / "bundle-training").iterdir()
    }


def test_too_few_photos_to_fine_tune(drawings: Path, tmp_path: Path) -> None:
    """Unless the user states the epochs, the probe is kept where few photos would be left out."""
    told: list[str] = []
    bundle = _train(drawings, tmp_path / "bundle", told, epochs=0)

    assert any(line.startswith("no fine-tuning: the 11 photos that") for line in told)
    assert 0 == bundle.spec.training["runs"]
    assert 36 == bundle.spec.metrics["validation"]["pictures"]


def test_too_few_photos_to_reject_others(drawings: Path, tmp_path: Path) -> None:
    """It is found before a photo is decoded, and nothing is written."""
    with pytest.raises(UsageError, match=r"36 photos are too few to tell which 1\.0%"):
        _train(drawings, tmp_path / "few" / "bundle", [], reject=0.01)
    assert ["bundle.weights"] == [file.name for file in (tmp_path / "few").iterdir()]


def test_same_training_gives_the_same_digest(
    drawings: Path, tmp_path: Path, trained: tuple[Bundle, list[str]]
) -> None:
    """Two runs, also in one process and of different duration, give bundles of one digest."""
    assert trained[0].digest == _train(drawings, tmp_path / "bundle", []).digest
