"""The hot dog model, from the photos to the shipped bundle, with every number fixed.

    python -m training.recipe DATA --weights FOLDER --work FOLDER --output BUNDLE

A MobileNetV2 is fine-tuned at 192 pixels and serves at 256: a crop shows things larger than the
whole photo does, and the larger input makes up for it (arXiv:1906.06423). The run keeps its weights
in the work folder and goes on from its last epoch after a kill.
`docs/training.md` states the time it takes.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import click
import keras
import numpy as np
from numpy.typing import NDArray

from seefood.bundle import Bundle
from seefood.image import ResizeRule
from training.augment import PHOTOS
from training.card import write_card
from training.data import decode_photos, read_photo_set
from training.fit import fit
from training.ingredients import LABELS, Ingredients, prepare, validation_examples
from training.networks import LAST_GENERIC_LAYER, NetworkChoice, build
from training.sheets import draw_curves
from training.ship import Judged, Product, calibrate, measure, round_weights, ship
from training.task import Schedule, Step, Task

Weights = tuple[NDArray[np.float32], ...]

SERVED: Final = ResizeRule(256, 256, "stretch", "bilinear", 2.0)


LEARNS: Final = NetworkChoice("folded_mobilenet_v2", 192, 192, len(LABELS))
_SERVES: Final = replace(LEARNS, height=SERVED.height, width=SERVED.width)
_BACKBONE: Final = "mobilenet_v2_1.0_224_from_int8_no_top.weights.h5"
SCHEDULE: Final = Schedule(
    epochs=6,
    learning_rate=2e-4,
    average=0.997,
    seed=1,
    freeze_until=LAST_GENERIC_LAYER[LEARNS.name],
    fast=True,
)
_EVERY: Final = 20
WEIGHTS_FILE: Final = "weights.npz"
UNSURE_SHARE: Final = 0.02
"""Arguable labels alone are more than 1 % of the photos: that would leave half of them `unsure`."""
CARD: Final = Path(__file__).with_name("hotdog_card.md")


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the recipe reads and writes."""

    data: str
    weights: Path
    """Of the pretrained backbones."""
    work: Path
    output: Path


def make(folders: Folders, tell: Callable[[str], None]) -> Bundle:
    """Make the hot dog bundle."""
    started = time.monotonic()
    folders.work.mkdir(parents=True, exist_ok=True)
    ingredients = prepare(folders.data)
    tell(f"{len(ingredients.training.pixels)} pictures to learn from")
    model = build(_SERVES)
    model.set_weights(learn(ingredients, folders, tell))
    tell("measuring")
    return _ship(model, ingredients, folders, round(time.monotonic() - started))


def learn(ingredients: Ingredients, folders: Folders, tell: Callable[[str], None]) -> Weights:
    """Return the fitted weights, or those of before if they lie in the work folder."""
    file = folders.work / WEIGHTS_FILE
    if file.is_file():
        with np.load(file) as saved:
            return tuple(saved[name] for name in saved.files)
    task = Task(LEARNS, folders.weights / _BACKBONE, SCHEDULE, PHOTOS)
    rule = replace(SERVED, height=LEARNS.height, width=LEARNS.width)

    def observe(step: Step) -> None:
        if step.done % _EVERY == 0 or step.done == step.total:
            last = f", validation {step.last.validation_accuracy:.4f}" if step.last else ""
            tell(f"step {step.done} of {step.total}, loss {step.loss:.3f}{last}")

    checked = validation_examples(ingredients.held_out, rule)
    checkpoint = folders.work / "checkpoint.npz"
    fitted = fit(task, ingredients.training, checked, checkpoint, observe)
    draw_curves(fitted.epochs, fitted.best, folders.work / "curves.png")
    weights = tuple(np.asarray(weight) for weight in fitted.model.get_weights())
    partial = folders.work / "partial.npz"
    np.savez(partial, *weights)
    partial.replace(file)
    return weights


def _ship(model: keras.Model, ingredients: Ingredients, folders: Folders, seconds: int) -> Bundle:
    round_weights(model)
    held = decode_photos(ingredients.held_out.photos, SERVED)
    validation = Judged(held.pixels, held.labels, [photo.name[:3] for photo in held.photos])
    tested = decode_photos(read_photo_set(folders.data).test, SERVED)
    test = Judged(tested.pixels, tested.labels, [photo.name[:3] for photo in tested.photos])
    record = {
        "recipe": "python -m training.recipe",
        "network": _SERVES.name,
        "parameters": model.count_params(),
        "epochs": SCHEDULE.epochs,
        "pictures": {
            "training": len(ingredients.training.pixels),
            "validation": len(held.photos),
        },
        "learned_at": [LEARNS.height, LEARNS.width],
        "backbone": _BACKBONE,
        "schedule": asdict(SCHEDULE),
        "augmentation": asdict(PHOTOS),
        "seconds": seconds,
    }
    product = Product("hotdog", LABELS, SERVED, model, record)
    calibration = calibrate(model, validation, UNSURE_SHARE)
    metrics = {
        "validation": measure(product, calibration, validation),
        "test": measure(product, calibration, test),
    }
    card = write_card(product, calibration, metrics, CARD.read_text())
    return ship(
        product,
        folders.output,
        calibration=calibration,
        metrics=metrics,
        extra_files={"MODELCARD.md": card.encode()},
        overwrite=True,
    )


@click.command()
@click.argument("data")
@click.option("--weights", required=True, type=click.Path(path_type=Path), help="The backbones.")
@click.option("--work", required=True, type=click.Path(path_type=Path), help="For the stages.")
@click.option("--output", required=True, type=click.Path(path_type=Path), help="The bundle.")
def main(data: str, weights: Path, work: Path, output: Path) -> None:
    """Make the hot dog bundle from DATA, a folder with `train/` and `test/`."""
    bundle = make(Folders(data, weights, work, output), lambda line: click.echo(line, err=True))
    click.echo(bundle.digest)


if __name__ == "__main__":
    main()
