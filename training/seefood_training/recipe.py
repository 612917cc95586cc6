"""The hot dog models, from the photos to the shipped bundles, with every number fixed.

    python -m seefood_training.recipe DATA --work FOLDER --output FOLDER

Three pretrained EfficientNet-Lites look at every photo. A linear probe on all that they see softens
the labels, and each built-in model is one of the networks, fine-tuned from a probe of its own and
then moved most of the way back to it: weights between the two know the new photos and have not
forgotten the world (WiSE-FT: M. Wortsman et al., "Robust Fine-Tuning of Zero-Shot Models", CVPR
2022, arXiv:2109.01903). What is moved is the mean of several runs' weights (model soups: M.
Wortsman et al., ICML 2022, arXiv:2203.05482). Features, checkpoints and weights stay in the work
folder, and a killed run goes on from them. `docs/training.md` states the time it takes and what was
tried.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import click
import keras
import numpy as np
from numpy.typing import NDArray

from seefood.bundle import Bundle
from seefood.imaging.decode import ResizeRule
from seefood_training.augment import PHOTOS
from seefood_training.contact_sheets import draw_curves
from seefood_training.convert import Quantisation
from seefood_training.data import Photo, decode_photos, read_photo_set
from seefood_training.distillation import (
    SEEING,
    SOFTENING,
    STRENGTH,
    DistillationTargets,
    Tell,
    prepare_lesson,
    save_arrays,
    stretched,
)
from seefood_training.fit import fit
from seefood_training.fit_types import Schedule, Step, Task
from seefood_training.hotdog_data import LABELS, Ingredients, prepare, validation_examples
from seefood_training.linear_probe import install
from seefood_training.model_card import write_card
from seefood_training.networks import LAST_GENERIC_LAYER, NetworkChoice, build
from seefood_training.release import (
    ExportedModel,
    Scored,
    calibrate,
    calibration_pictures,
    measure,
    round_weights,
    ship,
)
from seefood_training.release_check import AsShipped, as_shipped

Weights = tuple[NDArray[np.float32], ...]

AUGMENTATION: Final = replace(PHOTOS, smallest_crop=0.5)
UNSURE_SHARE: Final = 0.02
"""Arguable labels alone are more than 1 % of the photos: that would leave half of them `unsure`."""
CARD: Final = Path(__file__).with_name("hotdog_card.md")
_EVERY: Final = 20
_CALIBRATION_PHOTOS: Final = 600


@dataclass(frozen=True, slots=True)
class Model:
    """One bundle of the box."""

    name: str
    network: str
    learned_at: int
    """Side in pixels of the views that it is fine-tuned on."""
    served: ResizeRule
    quantisation: Quantisation
    tuned: float
    """How far the weights lie on the way from the probe's, 0, to the fine-tuned ones, 1."""
    seeds: tuple[int, ...] = (2, 3)
    """One fine-tuning run each."""
    epochs: int = 2
    learning_rate: float = 6e-5

    def schedule(self, seed: int) -> Schedule:
        """Return how it is fine-tuned in the run of `seed`."""
        return Schedule(
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            average=0.99,
            seed=seed,
            freeze_until=LAST_GENERIC_LAYER[self.network],
            fast=True,
        )


MODELS: Final = (
    Model("hotdog", "efficientnet_lite1", 224, stretched(256), "float16", tuned=0.3),
    Model("hotdog-lite", "efficientnet_lite0", 192, stretched(224), "int8", tuned=0.3),
)


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the recipe reads and writes."""

    data: str
    work: Path
    output: Path


def make(folders: Folders, tell: Tell) -> tuple[Bundle, ...]:
    """Make the bundles of the box."""
    started = time.monotonic()
    folders.work.mkdir(parents=True, exist_ok=True)
    ingredients = prepare(folders.data)
    tell(f"{len(ingredients.training.pixels)} pictures to learn from")
    lesson = prepare_lesson(ingredients, folders.work, tell)
    bundles = []
    for model in MODELS:
        weights = learn(model, lesson, ingredients, folders, tell)
        tell(f"{model.name}: measuring")
        served = build(
            NetworkChoice(model.network, model.served.height, model.served.width, len(LABELS))
        )
        served.set_weights(weights)
        bundles.append(_ship(model, served, ingredients, folders))
    tell(f"done in {(time.monotonic() - started) / 60:.1f} minutes, less what lay in the folder")
    return tuple(bundles)


def learn(
    model: Model,
    lesson: DistillationTargets,
    ingredients: Ingredients,
    folders: Folders,
    tell: Tell,
) -> Weights:
    """Return the weights that ship, or those of before if they lie in the work folder."""
    file = folders.work / f"{model.name}.npz"
    if file.is_file():
        with np.load(file) as saved:
            return tuple(saved[name] for name in saved.files)
    side = model.learned_at
    probed = build(NetworkChoice(model.network, side, side, len(LABELS)), "imagenet")
    install(probed, lesson.probes[model.network])
    runs = [
        _fine_tuned(model, seed, probed, lesson, ingredients, folders, tell) for seed in model.seeds
    ]
    weights = tuple(
        (1 - model.tuned) * start + model.tuned * np.mean(ends, axis=0)
        for start, *ends in zip(probed.get_weights(), *runs, strict=True)
    )
    save_arrays(file, weights)
    return weights


def _fine_tuned(  # noqa: PLR0913, PLR0917 (what every stage has, and the run)
    model: Model,
    seed: int,
    probed: keras.Model,
    lesson: DistillationTargets,
    ingredients: Ingredients,
    folders: Folders,
    tell: Tell,
) -> Weights:
    """Return the weights of one run that starts at `probed`; its checkpoint keeps them."""
    run = f"{model.name}-{seed}"

    def observe(step: Step) -> None:
        if step.done % _EVERY == 0 or step.done == step.total:
            last = f", validation {step.last.validation_accuracy:.4f}" if step.last else ""
            tell(f"{run}: step {step.done} of {step.total}, loss {step.loss:.3f}{last}")

    side = model.learned_at
    choice = NetworkChoice(model.network, side, side, len(LABELS))
    fitted = fit(
        Task(choice, "imagenet", model.schedule(seed), AUGMENTATION),
        lesson.training,
        validation_examples(ingredients.held_out, stretched(side)),
        folders.work / f"{run}-checkpoint.npz",
        observe,
        probed.get_weights(),
    )
    draw_curves(fitted.epochs, fitted.best, folders.work / f"{run}-curves.png")
    return tuple(np.asarray(weight) for weight in fitted.model.get_weights())


def _ship(model: Model, served: keras.Model, ingredients: Ingredients, folders: Folders) -> Bundle:
    round_weights(served)
    learned, held = ingredients.learned, ingredients.held_out
    some = learned.photos[:: len(learned.photos) // _CALIBRATION_PHOTOS]
    pictures = calibration_pictures(decode_photos(some, model.served).pixels)
    record = {
        "recipe": "python -m seefood_training.recipe",
        "network": model.network,
        "parameters": served.count_params(),
        "epochs": model.epochs,
        "pictures": {
            "training": len(ingredients.training.pixels),
            "validation": len(held.photos),
        },
        "learned_at": [model.learned_at, model.learned_at],
        "tuned": model.tuned,
        "softening": SOFTENING,
        "softened_by": list(SEEING),
        "probe_strength": STRENGTH,
        "schedule": asdict(model.schedule(model.seeds[0])),
        "seeds": list(model.seeds),
        "augmentation": asdict(AUGMENTATION),
    }
    product = ExportedModel(model.name, LABELS, model.served, served, record)
    shipped = as_shipped(product, model.quantisation, pictures)
    validation = _judge(shipped, held.photos, model.served)
    calibration = calibrate(validation, UNSURE_SHARE)
    test = _judge(shipped, read_photo_set(folders.data).test, model.served)
    metrics = {
        "validation": measure(LABELS, calibration, validation),
        "test": measure(LABELS, calibration, test),
    }
    card = write_card(product, calibration, metrics, CARD.read_text())
    return ship(
        product,
        folders.output / model.name,
        calibration=calibration,
        metrics=metrics,
        quantisation=model.quantisation,
        calibration_images=pictures,
        extra_files={"MODEL_CARD.md": card.encode()},
        overwrite=True,
    )


def _judge(shipped: AsShipped, photos: Sequence[Photo], rule: ResizeRule) -> Scored:
    decoded = decode_photos(photos, rule)
    sources = [photo.name[:3] for photo in decoded.photos]
    return shipped.judge(decoded.pixels, decoded.labels, sources)


@click.command()
@click.argument("data")
@click.option("--work", required=True, type=click.Path(path_type=Path), help="For the stages.")
@click.option("--output", required=True, type=click.Path(path_type=Path), help="The bundles.")
def main(data: str, work: Path, output: Path) -> None:
    """Make the hot dog bundles from DATA, a folder with `train/` and `test/`."""
    for bundle in make(Folders(data, work, output), lambda line: click.echo(line, err=True)):
        click.echo(f"{bundle.spec.name} {bundle.digest}")


if __name__ == "__main__":
    main()
