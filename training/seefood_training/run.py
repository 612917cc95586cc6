"""`seefood train` as functions: from a folder of photos to a certified bundle.

The folder `<bundle>-training/` beside the bundle has the checkpoint during the run, and afterwards
the loss curves, the figures of each epoch and contact sheets of sample photos.
"""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np

from seefood.bundle import Bundle
from seefood.errors import UsageError
from seefood.imaging.resize_rule import Fit, ResizeRule
from seefood_training.augment import PHOTOS
from seefood_training.contact_sheets import (
    augmentation_contact_sheet,
    draw_curves,
    sample_contact_sheet,
)
from seefood_training.data import DecodedPhotos, PhotoSet, decode_photos, read_photo_set
from seefood_training.fit import fit
from seefood_training.fit_types import Examples, Fitted, Schedule, Step, Task
from seefood_training.model_card import render_card
from seefood_training.networks import NetworkChoice, Weights, build, network
from seefood_training.partition import Partition, partition
from seefood_training.quantisation import Quantisation
from seefood_training.release import (
    ExportedModel,
    calibrate,
    calibration_pictures,
    measure,
    release_bundle,
)
from seefood_training.release_check import shipped_model
from seefood_training.training_photos import FILE as TRAINING_PHOTOS
from seefood_training.training_photos import copy_figures

_LARGER: Final = 8 / 7
"""Photos are decoded larger than the network's input by this factor, so that crops stay sharp."""
_SHEET_PHOTOS: Final = 4
_CALIBRATION_PHOTOS: Final = 600
FINE_TUNING: Final = Schedule()


@dataclass(frozen=True, slots=True)
class Request:
    """The options of a training run."""

    data: str
    output: Path
    network: str = "mobilenet_v2"
    weights: Weights = None
    image_size: int | None = None
    multiplier: float = 1.0
    fit: Fit = "stretch"
    quantisation: Quantisation = "float32"
    validation_share: float = 0.15
    schedule: Schedule = FINE_TUNING
    overwrite: bool = False
    nested: bool = False
    """Whether each innermost folder of `data` is a class."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a run, or of the stage `told` a sentence for the user: `note`."""

    stage: Literal["told", "reading", "training", "exporting"]
    done: int
    total: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a training run."""

    bundle: Bundle
    fitted: Fitted
    unreadable: tuple[str, ...]
    """Files that could not be decoded, each with the reason."""
    seconds: float


Observe = Callable[[Progress], None]


def train(request: Request, observe: Observe = lambda _: None) -> Outcome:
    """Train, calibrate, measure and export; continues a run that was killed.

    Raises `UsageError` for data, names or sizes that cannot work, before any training.
    """
    started = time.monotonic()
    size = request.image_size or network(request.network).side
    rule = ResizeRule(size, size, request.fit)
    photo_set = read_photo_set(request.data, nested=request.nested)
    choice = NetworkChoice(
        request.network, size, size, len(photo_set.labels), multiplier=request.multiplier
    )
    _check_request(request, choice)
    _tell_what_was_found(photo_set, observe)
    folder = request.output.with_name(f"{request.output.name}-training")
    folder.mkdir(parents=True, exist_ok=True)
    larger = ResizeRule(round(size * _LARGER), round(size * _LARGER), request.fit)
    labels = photo_set.labels
    photos = decode_photos(
        photo_set.train,
        larger,
        labels=labels,
        fingerprints=True,
        observe=_reading(observe, photo_set),
    )
    parts = partition(photo_set, photos, rule, request.validation_share, request.schedule.seed)
    for sentence in parts.notes:
        observe(Progress("told", 0, 0, sentence))
    task = Task(choice, request.weights, request.schedule, PHOTOS)
    fitted = fit(
        task,
        _examples(parts.training, len(labels)),
        _examples(parts.validation, len(labels)),
        folder / "checkpoint.npz",
        _training(observe),
    )
    observe(Progress("exporting", 0, 1))
    bundle = _release(request, photo_set, fitted, parts, rule)
    _write_documentation(folder, photo_set.labels, fitted, photos, task)
    observe(Progress("exporting", 1, 1))
    unreadable = tuple(f"{it.uri}: {it.reason}" for it in photos.unreadable)
    return Outcome(bundle, fitted, unreadable, time.monotonic() - started)


def _tell_what_was_found(photo_set: PhotoSet, observe: Observe) -> None:
    for sentence in (
        photo_set.summary,
        *photo_set.notes,
        *(f"left out: {line.uri} ({line.reason})" for line in photo_set.left_out),
    ):
        observe(Progress("told", 0, 0, sentence))


def _check_request(request: Request, choice: NetworkChoice) -> None:
    if request.output.exists() and not request.overwrite:
        raise UsageError(f"{request.output} exists; choose another `--output`, or `--overwrite`")
    build(choice, None if request.weights == "imagenet" else request.weights)


def _examples(photos: DecodedPhotos, classes: int) -> Examples:
    """Return `photos` with targets and the same total weight for each class."""
    labels = photos.labels
    counts = np.bincount(labels, minlength=classes)
    weights = (len(labels) / counts[labels]).astype(np.float32)
    return Examples(photos.pixels, np.eye(classes, dtype=np.float32)[labels], weights)


def _release(
    request: Request,
    photo_set: PhotoSet,
    fitted: Fitted,
    parts: Partition,
    rule: ResizeRule,
) -> Bundle:
    training, validation = parts.training, parts.validation
    best = fitted.epochs[fitted.best - 1]
    record = {
        "network": request.network,
        "multiplier": request.multiplier,
        "parameters": fitted.model.count_params(),
        "weights": _weights_name(request.weights),
        "photos": {"training": len(training.photos), "validation": len(validation.photos)},
        "schedule": asdict(request.schedule),
        "epochs": len(fitted.epochs),
        "kept_epoch": asdict(best),
        "seconds": round(sum(epoch.seconds for epoch in fitted.epochs)),
    }
    exported = ExportedModel(request.output.name, photo_set.labels, rule, fitted.model, record)
    pictures = None
    if request.quantisation == "int8":
        step = max(1, len(training.photos) // _CALIBRATION_PHOTOS)
        pictures = calibration_pictures(decode_photos(training.photos[::step], rule).pixels)
    shipped = shipped_model(exported, request.quantisation, pictures)
    scored = shipped.score(validation.pixels, validation.labels)
    calibration = calibrate(scored)
    metrics = {"validation": measure(photo_set.labels, calibration, scored)}
    if (test := parts.test) is not None:
        scored = shipped.score(test.pixels, test.labels)
        metrics["test"] = measure(photo_set.labels, calibration, scored)
        right = scored.logits.argmax(axis=1) == test.labels
        metrics["test"]["copies_of_training_photos"] = copy_figures(parts.test_copies, right)
    card = render_card(exported, calibration, metrics)
    return release_bundle(
        exported,
        request.output,
        calibration=calibration,
        metrics=metrics,
        quantisation=request.quantisation,
        calibration_images=pictures,
        extra_files={"MODEL_CARD.md": card.encode(), TRAINING_PHOTOS: parts.known.encode()},
        overwrite=request.overwrite,
    )


def _weights_name(weights: Weights) -> str:
    return weights.name if isinstance(weights, Path) else weights or "none"


def _write_documentation(
    folder: Path, labels: tuple[str, ...], fitted: Fitted, photos: DecodedPhotos, task: Task
) -> None:
    """Write contact sheets, curves and figures; remove the checkpoint."""
    sample_contact_sheet(photos, labels).save(folder / "photos.jpg", quality=88)
    first = np.stack(
        [photos.pixels[np.flatnonzero(photos.labels == index)[0]] for index in range(len(labels))]
    )[:_SHEET_PHOTOS]
    size = (task.network.height, task.network.width)
    views = augmentation_contact_sheet(first, size, task.augmentation)
    views.save(folder / "augmentation.jpg", quality=88)
    draw_curves(fitted.epochs, fitted.best, folder / "curves.png")
    history = [asdict(epoch) for epoch in fitted.epochs]
    (folder / "epochs.json").write_text(json.dumps(history, indent=2) + "\n")
    (folder / "checkpoint.npz").unlink(missing_ok=True)


def discard(output: Path) -> None:
    """Remove the training folder beside `output`; the next run starts from the beginning."""
    shutil.rmtree(output.with_name(f"{output.name}-training"), ignore_errors=True)


def default_schedule(request: Request) -> Schedule:
    """Return a schedule: short and slow from pretrained weights, otherwise longer."""
    if request.weights is None:
        return Schedule(epochs=40, learning_rate=1e-3, patience=8)
    return Schedule(freeze_until=network(request.network).last_generic_layer)


def _reading(observe: Observe, photo_set: PhotoSet) -> Callable[[int], None]:
    return lambda done: observe(Progress("reading", done, len(photo_set.train)))


def _training(observe: Observe) -> Callable[[Step], None]:
    def report(step: Step) -> None:
        note = f"epoch {step.epoch}, loss {step.loss:.3f}"
        if step.last is not None:
            note += f", validation {step.last.validation_accuracy:.1%}"
        observe(Progress("training", step.done, step.total, note))

    return report
