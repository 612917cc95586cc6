"""`seefood train` as plain functions: from a folder of photos to a certified bundle.

Beside the bundle, in `<bundle>-training/`, lie the checkpoint while the run lasts, and afterwards
the curves, the figures and sheets of sample photos.
"""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from seefood.bundle import Bundle
from seefood.errors import UsageError
from seefood.imaging.decode import Fit, ResizeRule
from seefood_training.augment import PHOTOS
from seefood_training.contact_sheets import augmentation_sheet, draw_curves, sample_sheet
from seefood_training.convert import Quantisation
from seefood_training.data import DecodedPhotos, PhotoSet, decode_photos, read_photo_set
from seefood_training.fit import fit
from seefood_training.fit_types import Examples, Fitted, Schedule, Step, Task
from seefood_training.model_card import write_card
from seefood_training.networks import LAST_GENERIC_LAYER, SIZES, NetworkChoice, Weights, build
from seefood_training.release import (
    Calibration,
    ExportedModel,
    calibrate,
    calibration_pictures,
    measure,
    ship,
)
from seefood_training.release_check import as_shipped
from seefood_training.split import difference_hashes, find_groups, hold_out

_LARGER: Final = 8 / 7
"""How much larger than the network's input photos are kept, so that crops lose little detail."""
_SHEET_PHOTOS: Final = 4
FINE_TUNING: Final = Schedule()


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for."""

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


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, for whoever watches."""

    stage: Literal["reading", "training", "exporting"]
    done: int
    total: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out."""

    bundle: Bundle
    fitted: Fitted
    unreadable: tuple[str, ...]
    """Files that were left out, each with its reason."""
    seconds: float


Observe = Callable[[Progress], None]


def train(request: Request, observe: Observe = lambda _: None) -> Outcome:
    """Train, calibrate, measure and export as `request` says; goes on where a killed run stopped.

    Raises `UsageError` for data, names or sizes that cannot work, before any training.
    """
    started = time.monotonic()
    size = request.image_size or SIZES.get(request.network, 224)
    rule = ResizeRule(size, size, request.fit)
    found = read_photo_set(request.data)
    choice = NetworkChoice(
        request.network, size, size, len(found.labels), multiplier=request.multiplier
    )
    _check_request(request, choice)
    folder = request.output.with_name(f"{request.output.name}-training")
    folder.mkdir(parents=True, exist_ok=True)
    larger = ResizeRule(round(size * _LARGER), round(size * _LARGER), request.fit)
    photos = decode_photos(found.train, larger, observe=_reading(observe, found))
    held = _held_back(photos, request)
    learned = photos.subset(np.flatnonzero(~held))
    checked = decode_photos(photos.subset(np.flatnonzero(held)).photos, rule)
    task = Task(choice, request.weights, request.schedule, PHOTOS)
    fitted = fit(
        task,
        _examples(learned, len(found.labels)),
        _examples(checked, len(found.labels)),
        folder / "checkpoint.npz",
        _training(observe),
    )
    observe(Progress("exporting", 0, 1))
    bundle = _ship(request, found, fitted, (learned, checked), rule)
    _write_beside(folder, found.labels, fitted, photos, task)
    observe(Progress("exporting", 1, 1))
    unreadable = tuple(f"{it.uri}: {it.reason}" for it in photos.unreadable)
    return Outcome(bundle, fitted, unreadable, time.monotonic() - started)


def _check_request(request: Request, choice: NetworkChoice) -> None:
    if request.output.exists() and not request.overwrite:
        raise UsageError(f"{request.output} exists; give another `--output`, or `--overwrite`")
    build(choice, None if request.weights == "imagenet" else request.weights)


def _held_back(photos: DecodedPhotos, request: Request) -> Any:
    hashes = np.stack([difference_hashes(image) for image in photos.pixels])
    groups = find_groups(photos.sha256, hashes)
    labels = photos.labels.tolist()
    return hold_out(photos.sha256, labels, groups, request.validation_share, request.schedule.seed)


def _examples(photos: DecodedPhotos, classes: int) -> Examples:
    """Return `photos` with targets, each class weighing the same."""
    labels = photos.labels
    counts = np.bincount(labels, minlength=classes)
    weights = (len(labels) / counts[labels]).astype(np.float32)
    return Examples(photos.pixels, np.eye(classes, dtype=np.float32)[labels], weights)


def _ship(
    request: Request,
    found: PhotoSet,
    fitted: Fitted,
    parts: tuple[DecodedPhotos, DecodedPhotos],
    rule: ResizeRule,
) -> Bundle:
    learned, checked = parts
    best = fitted.epochs[fitted.best - 1]
    record = {
        "network": request.network,
        "multiplier": request.multiplier,
        "parameters": fitted.model.count_params(),
        "weights": _named(request.weights),
        "photos": {"training": len(learned.photos), "validation": len(checked.photos)},
        "schedule": asdict(request.schedule),
        "epochs": len(fitted.epochs),
        "kept_epoch": asdict(best),
        "seconds": round(sum(epoch.seconds for epoch in fitted.epochs)),
    }
    product = ExportedModel(request.output.name, found.labels, rule, fitted.model, record)
    some = decode_photos(learned.photos[:: _every(learned)], rule).pixels
    pictures = calibration_pictures(some) if request.quantisation == "int8" else None
    shipped = as_shipped(product, request.quantisation, pictures)
    validation = shipped.judge(checked.pixels, checked.labels)
    calibration = calibrate(validation)
    metrics = {"validation": measure(found.labels, calibration, validation)}
    if found.test:
        tested = decode_photos(found.test, rule)
        judged = shipped.judge(tested.pixels, tested.labels)
        metrics["test"] = measure(found.labels, calibration, judged)
    card = write_card(product, calibration, metrics)
    return ship(
        product,
        request.output,
        calibration=calibration,
        metrics=metrics,
        quantisation=request.quantisation,
        calibration_images=pictures,
        extra_files={"MODEL_CARD.md": card.encode()},
        overwrite=request.overwrite,
    )


def _every(photos: DecodedPhotos, wanted: int = 600) -> int:
    return max(1, len(photos.photos) // wanted)


def _named(weights: Weights) -> str:
    return weights.name if isinstance(weights, Path) else weights or "none"


def _write_beside(
    folder: Path, labels: tuple[str, ...], fitted: Fitted, photos: DecodedPhotos, task: Task
) -> None:
    """Write sheets, curves and figures; remove what only a run in progress needs."""
    network = task.network
    sample_sheet(photos, labels).save(folder / "photos.jpg", quality=88)
    first = np.stack(
        [photos.pixels[np.flatnonzero(photos.labels == index)[0]] for index in range(len(labels))]
    )[:_SHEET_PHOTOS]
    views = augmentation_sheet(first, (network.height, network.width), task.augmentation)
    views.save(folder / "augmentation.jpg", quality=88)
    draw_curves(fitted.epochs, fitted.best, folder / "curves.png")
    history = [asdict(epoch) for epoch in fitted.epochs]
    (folder / "epochs.json").write_text(json.dumps(history, indent=2) + "\n")
    (folder / "checkpoint.npz").unlink(missing_ok=True)


def discard(output: Path) -> None:
    """Remove what a run left beside `output`, so that the next one starts anew."""
    shutil.rmtree(output.with_name(f"{output.name}-training"), ignore_errors=True)


def default_schedule(request: Request) -> Schedule:
    """Return the schedule that suits the network: gentle from pretrained weights, else longer."""
    if request.weights is None:
        return Schedule(epochs=40, learning_rate=1e-3, patience=8)
    return Schedule(freeze_until=LAST_GENERIC_LAYER.get(request.network))


def _reading(observe: Observe, found: PhotoSet) -> Callable[[int], None]:
    return lambda done: observe(Progress("reading", done, len(found.train)))


def _training(observe: Observe) -> Callable[[Step], None]:
    def tell(step: Step) -> None:
        note = f"epoch {step.epoch}, loss {step.loss:.3f}"
        if step.last is not None:
            note += f", validation {step.last.validation_accuracy:.1%}"
        observe(Progress("training", step.done, step.total, note))

    return tell


__all__ = ["Calibration", "Outcome", "Progress", "Request", "default_schedule", "discard", "train"]
