"""Makes the built-in hot dog bundles from photos, with every parameter fixed.

    python -m seefood_training.recipe DATA --work FOLDER --output FOLDER

Three pretrained EfficientNet-Lites compute features of every photo, and a linear probe on all of
them softens the labels. Each model is one of the networks, fine-tuned from its own probe. Its
weights are then interpolated most of the way back to the probe's, which keeps what the network
knew about other photos (WiSE-FT: M. Wortsman et al., "Robust Fine-Tuning of Zero-Shot Models", CVPR
2022, arXiv:2109.01903). The fine-tuned weights are the mean of several runs (model soups: M.
Wortsman et al., ICML 2022, arXiv:2203.05482). Features, checkpoints and weights stay in the work
folder, and a killed run continues from them. `docs/training.md` states how long it takes and which
variants were tried.
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
from seefood_training.acceptance import Wish
from seefood_training.augment import PHOTOS
from seefood_training.contact_sheets import draw_curves
from seefood_training.data import Photo, decode_photos, read_photo_set
from seefood_training.distillation import (
    PROBE_STRENGTH,
    TEACHER_SHARE,
    TEACHERS,
    DistillationTargets,
    Log,
    distillation_targets,
    load_arrays,
    save_arrays,
    square_rule,
)
from seefood_training.fit import fit
from seefood_training.fit_types import Schedule, Step, Task
from seefood_training.hotdog_data import (
    LABELS,
    HotdogData,
    load_hotdog_data,
    validation_examples,
)
from seefood_training.linear_probe import install_probe
from seefood_training.model_card import render_card
from seefood_training.networks import NETWORKS, NetworkChoice, build
from seefood_training.quantisation import Quantisation
from seefood_training.release import (
    ExportedModel,
    Scored,
    calibrate,
    calibration_pictures,
    measure,
    release_bundle,
    round_weights,
)
from seefood_training.release_check import ShippedModel, shipped_model

Weights = tuple[NDArray[np.float32], ...]

AUGMENTATION: Final = replace(PHOTOS, smallest_crop=0.5)
UNSURE_SHARE: Final = 0.02
"""Over 1 % of the photos have arguable labels, so that 0.01 would make half of them `unsure`."""
CARD: Final = Path(__file__).with_name("hotdog_card.md")
_LOG_EVERY: Final = 20
"""Steps."""
_CALIBRATION_PHOTOS: Final = 600


@dataclass(frozen=True, slots=True)
class ModelRecipe:
    """The parameters of one built-in model."""

    name: str
    network: str
    training_side: int
    """Side in pixels of the views in fine-tuning."""
    rule: ResizeRule
    """How the bundle decodes pictures."""
    quantisation: Quantisation
    tuned: float
    """Position of the weights between the probe's, 0, and the fine-tuned ones, 1."""
    seeds: tuple[int, ...] = (2, 3)
    """One fine-tuning run each."""
    epochs: int = 2
    learning_rate: float = 6e-5

    def schedule(self, seed: int) -> Schedule:
        """Return the schedule of the run with `seed`."""
        return Schedule(
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            average=0.99,
            seed=seed,
            freeze_until=NETWORKS[self.network].last_generic_layer,
            fast=True,
        )


MODELS: Final = (
    ModelRecipe("hotdog", "efficientnet_lite1", 224, square_rule(256), "float16", tuned=0.3),
    ModelRecipe("hotdog-lite", "efficientnet_lite0", 192, square_rule(224), "int8", tuned=0.3),
)


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the recipe reads and writes."""

    data: str
    work: Path
    output: Path
    drawings: str | None = None


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What every stage of a model reads."""

    folders: Folders
    data: HotdogData
    targets: DistillationTargets
    log: Log


def make_bundles(folders: Folders, log: Log) -> tuple[Bundle, ...]:
    """Make the built-in bundles."""
    started = time.monotonic()
    folders.work.mkdir(parents=True, exist_ok=True)
    data = load_hotdog_data(folders.data, folders.drawings)
    log(f"{len(data.training.pixels)} training pictures")
    inputs = _Inputs(folders, data, distillation_targets(data, folders.work, log), log)
    bundles = tuple(_make_bundle(recipe, inputs) for recipe in MODELS)
    log(f"done in {(time.monotonic() - started) / 60:.1f} minutes")
    return bundles


def _make_bundle(recipe: ModelRecipe, inputs: _Inputs) -> Bundle:
    weights = _trained_weights(recipe, inputs)
    inputs.log(f"{recipe.name}: measuring")
    rule = recipe.rule
    model = build(NetworkChoice(recipe.network, rule.height, rule.width, len(LABELS)))
    model.set_weights(weights)
    return _release(recipe, model, inputs)


def _trained_weights(recipe: ModelRecipe, inputs: _Inputs) -> Weights:
    """Return the interpolated weights, read from the work folder if they are there."""
    file = inputs.folders.work / f"{recipe.name}.npz"
    if file.is_file():
        return load_arrays(file)
    side = recipe.training_side
    start = build(NetworkChoice(recipe.network, side, side, len(LABELS)), "imagenet")
    install_probe(start, inputs.targets.probes[recipe.network])
    runs = [_fine_tune(recipe, seed, start.get_weights(), inputs) for seed in recipe.seeds]
    weights = tuple(
        (1 - recipe.tuned) * first + recipe.tuned * np.mean(ends, axis=0)
        for first, *ends in zip(start.get_weights(), *runs, strict=True)
    )
    save_arrays(file, weights)
    return weights


def _fine_tune(
    recipe: ModelRecipe, seed: int, start: Sequence[NDArray[np.float32]], inputs: _Inputs
) -> Weights:
    """Return the weights of one run from `start`; its checkpoint stays in the work folder."""
    run, work = f"{recipe.name}-{seed}", inputs.folders.work

    def observe(step: Step) -> None:
        if step.done % _LOG_EVERY == 0 or step.done == step.total:
            last = f", validation {step.last.validation_accuracy:.4f}" if step.last else ""
            inputs.log(f"{run}: step {step.done} of {step.total}, loss {step.loss:.3f}{last}")

    side = recipe.training_side
    choice = NetworkChoice(recipe.network, side, side, len(LABELS))
    fitted = fit(
        Task(choice, "imagenet", recipe.schedule(seed), AUGMENTATION),
        inputs.targets.training,
        validation_examples(inputs.data.validation_photos, square_rule(side)),
        work / f"{run}-checkpoint.npz",
        observe,
        start,
    )
    draw_curves(fitted.epochs, fitted.best, work / f"{run}-curves.png")
    return tuple(np.asarray(weight) for weight in fitted.model.get_weights())


def _release(recipe: ModelRecipe, model: keras.Model, inputs: _Inputs) -> Bundle:
    round_weights(model)
    data = inputs.data
    training, validation = data.training_photos, data.validation_photos
    sample = training.photos[:: max(1, len(training.photos) // _CALIBRATION_PHOTOS)]
    pictures = calibration_pictures(decode_photos(sample, recipe.rule).pixels)
    record = {
        "recipe": "python -m seefood_training.recipe",
        "network": recipe.network,
        "parameters": model.count_params(),
        "epochs": recipe.epochs,
        "pictures": {
            "training": len(data.training.pixels),
            "validation": len(validation.photos),
        },
        "learned_at": [recipe.training_side, recipe.training_side],
        "tuned": recipe.tuned,
        "softening": TEACHER_SHARE,
        "softened_by": list(TEACHERS),
        "probe_strength": PROBE_STRENGTH,
        "schedule": asdict(recipe.schedule(recipe.seeds[0])),
        "seeds": list(recipe.seeds),
        "augmentation": asdict(AUGMENTATION),
    }
    exported = ExportedModel(recipe.name, LABELS, recipe.rule, model, record)
    shipped = shipped_model(exported, recipe.quantisation, pictures)
    scored = _score(shipped, validation.photos, recipe.rule)
    calibration = calibrate(scored, Wish(UNSURE_SHARE))
    test = _score(shipped, read_photo_set(inputs.folders.data).test, recipe.rule)
    metrics = {
        "validation": measure(LABELS, calibration, scored),
        "test": measure(LABELS, calibration, test),
    }
    drawings = len(data.training.pixels) - len(training.photos)
    card = render_card(
        exported, calibration, metrics, CARD.read_text().replace("{drawings}", str(drawings))
    )
    return release_bundle(
        exported,
        inputs.folders.output / recipe.name,
        calibration=calibration,
        metrics=metrics,
        quantisation=recipe.quantisation,
        calibration_images=pictures,
        extra_files={"MODEL_CARD.md": card.encode()},
        overwrite=True,
    )


def _score(shipped: ShippedModel, photos: Sequence[Photo], rule: ResizeRule) -> Scored:
    decoded = decode_photos(photos, rule)
    sources = [photo.name[:3] for photo in decoded.photos]
    return shipped.score(decoded.pixels, decoded.labels, sources)


@click.command()
@click.argument("data")
@click.option("--work", required=True, type=click.Path(path_type=Path), help="Intermediate files.")
@click.option("--output", required=True, type=click.Path(path_type=Path), help="The bundles.")
@click.option("--drawings", metavar="FOLDER", help="Drawn training pictures, a folder per class.")
def main(data: str, work: Path, output: Path, drawings: str | None) -> None:
    """Make the hot dog bundles from DATA, a folder with `train/` and `test/`."""
    folders = Folders(data, work, output, drawings)
    for bundle in make_bundles(folders, lambda line: click.echo(line, err=True)):
        click.echo(f"{bundle.spec.name} {bundle.digest}")


if __name__ == "__main__":
    main()
