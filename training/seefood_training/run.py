"""`seefood train` as functions: from a folder of photos to a certified bundle.

The folder `<bundle>-training/` beside the bundle has the checkpoint during the run, and afterwards
the loss curves, the figures of each epoch and contact sheets of sample photos.
"""

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Literal

import keras
import numpy as np

from seefood.bundle import Bundle, load_variants
from seefood.errors import UsageError
from seefood.imaging.resize_rule import Fit, ResizeRule
from seefood_training.acceptance import WISH, Acceptance, Wish
from seefood_training.augment import PHOTOS
from seefood_training.contact_sheets import (
    augmentation_contact_sheet,
    draw_curves,
    sample_contact_sheet,
)
from seefood_training.data import DecodedPhotos, PhotoSet, decode_photos, read_photo_set
from seefood_training.default_network import default_network
from seefood_training.fit import fit, predict_logits
from seefood_training.fit_types import Fitted, Schedule, Step, Task
from seefood_training.folds import assign_folds
from seefood_training.model_card import render_card
from seefood_training.networks import NetworkChoice, Weights, network
from seefood_training.partition import Partition, partition
from seefood_training.probed_fit import Job, Observer, Trained, examples, fit_from_probe
from seefood_training.quantisation import Quantisation
from seefood_training.release import (
    ExportedModel,
    Scored,
    calibrate,
    calibration_pictures,
    measure,
    release_bundle,
)
from seefood_training.release_check import shipped_model
from seefood_training.request_checks import check_network, check_output
from seefood_training.split import group_copies
from seefood_training.time_left import TimeLeft, duration_text
from seefood_training.training_photos import FILE as TRAINING_PHOTOS
from seefood_training.training_photos import copy_figures
from seefood_training.variants import MIN_PHOTOS, FastData, add_variants

_LARGER: Final = 8 / 7
"""Photos are decoded larger than the network's input by this factor, so that crops stay sharp."""
_SHEET_PHOTOS: Final = 4
_CALIBRATION_PHOTOS: Final = 600
_EPOCHS_FROM_RANDOM: Final = 40
FINE_TUNING: Final = Schedule(epochs=0)
"""From pretrained weights."""


@dataclass(frozen=True, slots=True)
class Request:
    """The options of a training run."""

    data: str
    output: Path
    network: str | None = None
    """None: the best network whose weights are installed."""
    weights: Weights = None
    image_size: int | None = None
    multiplier: float = 1.0
    fit: Fit = "stretch"
    quantisation: Quantisation = "float32"
    validation_share: float = 0.15
    schedule: Schedule = FINE_TUNING
    wish: Wish = WISH
    overwrite: bool = False
    nested: bool = False
    """Whether each innermost folder of `data` is a class."""
    corrections: str | None = None
    """An output of `seefood classify` whose corrections are learned from, too."""
    variants: bool = False
    """Whether to add faster variants, measured on the photos held out."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a run, or of the stage `told` a sentence for the user: `note`."""

    stage: Literal["told", "reading", "preparing", "probing", "training", "exporting"]
    done: int
    total: int
    note: str = ""
    is_milestone: bool = False
    """Whether it is worth a line where no bar can be shown."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a training run."""

    bundle: Bundle
    runs: tuple[Fitted, ...]
    unreadable: tuple[str, ...]
    """Files that could not be decoded, each with the reason."""
    seconds: float


Observe = Callable[[Progress], None]


def train(request: Request, observe: Observe = lambda _: None) -> Outcome:
    """Train, calibrate, measure and export; continues a run that was killed.

    Raises `UsageError` for data, names or sizes that cannot work, before any training.
    """
    started = time.monotonic()
    if request.network is None and request.weights is not None:
        raise UsageError(
            f"`--weights {_weights_name(request.weights)}` needs the `--network` that the weights "
            "are of; without both, the best installed weights are used"
        )
    check_output(request.output, request.data, overwrite=request.overwrite)
    if request.network is not None:
        side = request.image_size or network(request.network).side
        two = NetworkChoice(request.network, side, side, 2, multiplier=request.multiplier)
        check_network(two, request.weights)
    keras.utils.clear_session()  # layers are numbered anew: their names are part of the digest
    photo_set = read_photo_set(request.data, nested=request.nested, corrections=request.corrections)
    chosen = _with_defaults(request, photo_set)
    size = chosen.side
    rule = ResizeRule(size, size, request.fit)
    choice = NetworkChoice(
        chosen.network, size, size, len(photo_set.labels), multiplier=request.multiplier
    )
    _tell_what_was_found(photo_set, observe)
    observe(Progress("told", 0, 0, chosen.why))
    folder = request.output.with_name(f"{request.output.name}-training")
    larger = ResizeRule(round(size * _LARGER), round(size * _LARGER), request.fit)
    photos = decode_photos(
        photo_set.train,
        larger,
        labels=photo_set.labels,
        fingerprints=True,
        observe=_reading(observe, photo_set),
    )
    observe(Progress("preparing", 0, 1, "looking for copies of photos"))
    parts = partition(photo_set, photos, rule, request.validation_share, request.schedule.seed)
    observe(Progress("preparing", 1, 1, "the network is built next", is_milestone=True))
    folder.mkdir(parents=True, exist_ok=True)
    for sentence in parts.notes:
        observe(Progress("told", 0, 0, sentence))
    task = Task(choice, chosen.weights, chosen.schedule, PHOTOS)
    inputs = _Inputs(request, photo_set, photos, parts, folder)
    trained = (_fit if chosen.weights is None else _fit_from_probe)(task, inputs, rule, observe)
    observe(Progress("exporting", 0, 1))
    bundle, acceptance = _release(inputs, task, trained, rule)
    if request.variants:
        bundle = _with_variants(bundle, inputs, observe)
    _write_documentation(inputs, trained.runs, task)
    observe(Progress("exporting", 1, 1))
    observe(Progress("told", 0, 0, acceptance.sentence()))
    observe(Progress("told", 0, 0, acceptance.curve_sentence()))
    unreadable = tuple(f"{it.uri}: {it.reason}" for it in photos.unreadable)
    return Outcome(bundle, trained.runs, unreadable, time.monotonic() - started)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The options with the defaults that depend on the photos and on what is installed."""

    network: str
    weights: Weights
    side: int
    schedule: Schedule
    why: str


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What the stages of a run read."""

    request: Request
    photo_set: PhotoSet
    photos: DecodedPhotos
    """Those to train on, a little larger than the network's input."""
    parts: Partition
    folder: Path


def _with_defaults(request: Request, photo_set: PhotoSet) -> _Chosen:
    name, weights, side = request.network, request.weights, request.image_size
    why = f"{name}, " + (
        "from random weights: with few photos `--weights` makes a much better network"
        if weights is None
        else f"with the weights {_weights_name(weights)}"
    )
    if name is None:
        default = default_network(photo_set.train)
        name, weights, side, why = (
            default.network,
            default.weights,
            side or default.side,
            default.why,
        )
        why += "; another one with `--network`"
    schedule = request.schedule
    if schedule.epochs == 0 and weights is None:
        schedule = replace(schedule, epochs=_EPOCHS_FROM_RANDOM)
    if weights is not None and schedule.freeze_until is None:
        schedule = replace(schedule, freeze_until=network(name).last_generic_layer)
    return _Chosen(name, weights, side or network(name).side, schedule, f"network: {why}")


def _fit(task: Task, inputs: _Inputs, rule: ResizeRule, observe: Observe) -> Trained:
    """Return the network, trained from random weights."""
    del rule
    parts, classes = inputs.parts, task.network.classes
    fitted = fit(
        task,
        examples(parts.training, classes),
        examples(parts.validation, classes),
        inputs.folder / "checkpoint-0.npz",
        _training(observe),
    )
    logits = predict_logits(lambda x: fitted.model(x, training=False), parts.validation.pixels)
    return Trained(fitted.model, Scored(logits, parts.validation.labels), (fitted,), {})


def _fit_from_probe(task: Task, inputs: _Inputs, rule: ResizeRule, observe: Observe) -> Trained:
    """Return the network, trained from pretrained weights."""
    photos, seed = inputs.photos, task.schedule.seed
    groups, _ = group_copies(photos.fingerprints)
    count = max(2, round(1 / inputs.request.validation_share))
    folds = assign_folds(photos.sha256, photos.labels, groups, count, seed)
    given = bool(inputs.photo_set.validation)
    if given:  # the first fold is what DATA gives for validation
        larger = replace(rule, height=photos.pixels.shape[1], width=photos.pixels.shape[2])
        validation = decode_photos(inputs.parts.validation.photos, larger)
        photos = _joined(validation, photos)
        folds = np.concatenate([np.full(len(validation.photos), -1), folds])
    job = Job(
        task=task,
        rule=rule,
        photos=photos,
        folds=folds,
        runs=1 if given else None,
        epochs=task.schedule.epochs or None,
        checkpoints=inputs.folder,
    )
    total = len(photos.photos)
    observe(Progress("probing", 0, total, "the features of every photo"))
    observer = Observer(
        lambda done: observe(Progress("probing", done, total)),
        _training(observe),
        lambda sentence: observe(Progress("told", 0, 0, sentence)),
    )
    return fit_from_probe(job, observer)


def _joined(one: DecodedPhotos, other: DecodedPhotos) -> DecodedPhotos:
    return replace(
        one,
        photos=one.photos + other.photos,
        pixels=np.concatenate([one.pixels, other.pixels]),
        sha256=one.sha256 + other.sha256,
        fingerprints=(),
    )


def _tell_what_was_found(photo_set: PhotoSet, observe: Observe) -> None:
    for sentence in (
        photo_set.summary,
        *photo_set.notes,
        *(f"left out: {line.uri} ({line.reason})" for line in photo_set.left_out),
    ):
        observe(Progress("told", 0, 0, sentence))


def _release(
    inputs: _Inputs, task: Task, trained: Trained, rule: ResizeRule
) -> tuple[Bundle, Acceptance]:
    request, parts, labels = inputs.request, inputs.parts, inputs.photo_set.labels
    record = {
        "network": task.network.name,
        "multiplier": task.network.multiplier,
        "parameters": trained.model.count_params(),
        "weights": _weights_name(task.weights),
        "photos": {
            "training": len(inputs.photos.photos),
            "validation": len(trained.scored.labels),
        },
        "schedule": asdict(task.schedule),
        "epochs": sum(len(run.epochs) for run in trained.runs),
        "kept_epochs": [run.epochs[run.best - 1].without_time() for run in trained.runs],
        **trained.record,
    }
    exported = ExportedModel(request.output.name, labels, rule, trained.model, record)
    pictures = None
    if request.quantisation == "int8":
        photos = inputs.photos.photos
        step = max(1, len(photos) // _CALIBRATION_PHOTOS)
        pictures = calibration_pictures(decode_photos(photos[::step], rule).pixels)
    shipped = shipped_model(exported, request.quantisation, pictures)
    calibration = calibrate(trained.scored, request.wish)
    metrics = {"validation": measure(labels, calibration, trained.scored)}
    if (test := parts.test) is not None:
        scored = shipped.score(test.pixels, test.labels)
        metrics["test"] = measure(labels, calibration, scored)
        right = scored.logits.argmax(axis=1) == test.labels
        metrics["test"]["copies_of_training_photos"] = copy_figures(parts.test_copies, right)
    card = render_card(exported, calibration, metrics)
    bundle = release_bundle(
        exported,
        request.output,
        calibration=calibration,
        metrics=metrics,
        quantisation=request.quantisation,
        calibration_images=pictures,
        extra_files={"MODEL_CARD.md": card.encode(), TRAINING_PHOTOS: parts.known.encode()},
        overwrite=request.overwrite,
    )
    assert calibration.acceptance is not None  # noqa: S101 (for the type checker)
    return bundle, calibration.acceptance


def _with_variants(bundle: Bundle, inputs: _Inputs, observe: Observe) -> Bundle:
    """Add faster variants, measured on the test photos, or else on those for validation.

    The runs that the weights are the mean of have seen some of the latter, as the float network.
    """
    measured = inputs.photo_set.test or inputs.parts.validation.photos
    kind = "test" if inputs.photo_set.test else "validation"
    if len(measured) < MIN_PHOTOS:
        sentence = f"no faster variant: {len(measured)} {kind} photos are too few to measure one on"
        observe(Progress("told", 0, 0, sentence))
        return bundle
    photos = inputs.photos.photos
    calibration = photos[:: max(1, len(photos) // _CALIBRATION_PHOTOS)]
    data = FastData(measured, calibration, f"the {kind} photos")
    bundle, notes = add_variants(bundle, data)
    made = [_sentence(variant) for variant in load_variants(bundle)]
    for sentence in (*made, *(f"no variant {note}" for note in notes)):
        observe(Progress("told", 0, 0, sentence))
    return bundle


def _sentence(bundle: Bundle) -> str:
    variant = bundle.variant
    assert variant is not None  # noqa: S101 (`load_variants` checks it)
    return f"faster variant {variant.name}: {variant.time_share:.0%} of the time, " + (
        variant.loss.sentence
    )


def _weights_name(weights: Weights) -> str:
    return weights.name if isinstance(weights, Path) else weights or "none"


def _write_documentation(inputs: _Inputs, runs: Sequence[Fitted], task: Task) -> None:
    """Write contact sheets, curves and figures; remove the checkpoints."""
    folder, photos, labels = inputs.folder, inputs.photos, inputs.photo_set.labels
    sample_contact_sheet(photos, labels).save(folder / "photos.jpg", quality=88)
    first = np.stack(
        [photos.pixels[np.flatnonzero(photos.labels == index)[0]] for index in range(len(labels))]
    )[:_SHEET_PHOTOS]
    size = (task.network.height, task.network.width)
    views = augmentation_contact_sheet(first, size, task.augmentation)
    views.save(folder / "augmentation.jpg", quality=88)
    draw_curves(runs[0].epochs, runs[0].best, folder / "curves.png")
    history = [asdict(epoch) for epoch in runs[0].epochs]
    (folder / "epochs.json").write_text(json.dumps(history, indent=2) + "\n")
    for file in folder.glob("checkpoint-*.npz"):
        file.unlink(missing_ok=True)


def discard(output: Path) -> None:
    """Remove the training folder beside `output`; the next run starts from the beginning."""
    shutil.rmtree(output.with_name(f"{output.name}-training"), ignore_errors=True)


def default_schedule(request: Request) -> Schedule:
    """Return a schedule: short and slow from pretrained weights, otherwise longer."""
    if request.network is not None and request.weights is None:
        return Schedule(epochs=_EPOCHS_FROM_RANDOM, learning_rate=1e-3, patience=8)
    return FINE_TUNING


def _reading(observe: Observe, photo_set: PhotoSet) -> Callable[[int], None]:
    return lambda done: observe(Progress("reading", done, len(photo_set.train)))


def _training(observe: Observe) -> Callable[[Step], None]:
    clock = TimeLeft()

    def report(step: Step) -> None:
        if step.note:
            observe(Progress("told", 0, 0, step.note))
            return
        note = f"epoch {step.epoch}"
        left = clock.after(step.done, step.total)
        if left is not None:
            note += f", at most {duration_text(left)} left"
        note += f", loss {step.loss:.3f}"
        if step.last is not None:
            note += f", validation {step.last.validation_accuracy:.1%}"
        ended = step.last is not None and step.last.number == step.epoch
        observe(Progress("training", step.done, step.total, note, is_milestone=ended))

    return report
