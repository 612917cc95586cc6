"""`seefood train` as functions: from a folder of photos to a certified bundle.

The folder `<bundle>-training/` beside the bundle has the checkpoint during the run, and afterwards
the loss curves, the figures of each epoch and contact sheets of sample photos.
"""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import keras

from seefood.bundle import load_bundle
from seefood.imaging.resize_rule import ResizeRule
from seefood_training.augment import PHOTOS
from seefood_training.data import PhotoSet, decode_photos, read_photo_set
from seefood_training.default_network import default_network
from seefood_training.fit_types import Schedule, Task
from seefood_training.networks import NetworkChoice, Weights, network
from seefood_training.partition import partition
from seefood_training.request_checks import check_options, check_output, check_photos
from seefood_training.run_fit import fit_from_random, fit_pretrained
from seefood_training.run_release import (
    release,
    with_reference,
    with_variants,
    write_documentation,
)
from seefood_training.run_types import (
    EPOCHS_FROM_RANDOM,
    Inputs,
    Observe,
    Outcome,
    Progress,
    Request,
    weights_name,
)
from seefood_training.sealing import check_absent, put_in_place
from seefood_training.training_folder import DRAFT, training_folder

_LARGER: Final = 8 / 7
"""Photos are decoded larger than the network's input by this factor, so that crops stay sharp."""


def train(request: Request, observe: Observe = lambda _: None) -> Outcome:
    """Train, calibrate, measure and export; continues a run that was killed.

    Raises `UsageError` for data, names or sizes that cannot work, before any training.
    """
    check_options(request)
    check_output(request.output, request.data, overwrite=request.overwrite)
    with training_folder(request.output, restart=request.restart) as folder:
        return _train(request, observe, folder)


def _train(request: Request, observe: Observe, folder: Path) -> Outcome:
    started = time.monotonic()
    keras.utils.clear_session()  # layers are numbered anew: their names are part of the digest
    photo_set = read_photo_set(request.data, nested=request.nested, corrections=request.corrections)
    check_photos(request, len(photo_set.train))
    chosen = _with_defaults(request, photo_set)
    size = chosen.side
    rule = ResizeRule(size, size, request.fit)
    choice = NetworkChoice(
        chosen.network, size, size, len(photo_set.labels), multiplier=request.multiplier
    )
    _tell_what_was_found(photo_set, observe)
    observe(Progress("told", 0, 0, chosen.why))
    larger = ResizeRule(round(size * _LARGER), round(size * _LARGER), request.fit)
    photos = decode_photos(
        photo_set.train,
        larger,
        labels=photo_set.labels,
        fingerprints=True,
        observe=_reading(observe, photo_set),
    )
    check_photos(request, len(photos.photos))  # some may be no pictures
    observe(Progress("preparing", 0, 1, "looking for copies of photos"))
    parts = partition(photo_set, photos, rule, request.validation_share, request.schedule.seed)
    observe(Progress("preparing", 1, 1, "the network is built next", is_milestone=True))
    for sentence in parts.notes:
        observe(Progress("told", 0, 0, sentence))
    task = Task(choice, chosen.weights, chosen.schedule, PHOTOS)
    inputs = Inputs(request, photo_set, photos, parts, folder)
    fit = fit_from_random if chosen.weights is None else fit_pretrained
    trained = fit(task, inputs, rule, observe)
    observe(Progress("exporting", 0, 1))
    draft = folder / DRAFT / request.output.name
    shutil.rmtree(draft.parent, ignore_errors=True)  # of a run that was killed here
    bundle, calibration = release(inputs, task, trained, rule, draft)
    if request.variants:
        bundle = with_variants(bundle, inputs, trained, observe)
    with_reference(bundle, inputs, trained, calibration)
    check_absent(request.output, overwrite=request.overwrite)
    put_in_place(draft, request.output)
    shutil.rmtree(draft.parent, ignore_errors=True)
    bundle = load_bundle(request.output)
    write_documentation(inputs, trained.runs, task)
    observe(Progress("exporting", 1, 1))
    acceptance = calibration.acceptance
    assert acceptance is not None  # noqa: S101 (for the type checker)
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


def _with_defaults(request: Request, photo_set: PhotoSet) -> _Chosen:
    name, weights, side = request.network, request.weights, request.image_size
    why = f"{name}, " + (
        "from random weights: with few photos `--weights` makes a much better network"
        if weights is None
        else f"with the weights {weights_name(weights)}"
    )
    if name is None:
        default = default_network(photo_set.train, side)
        name, weights, side, why = (
            default.network,
            default.weights,
            default.side,
            default.why,
        )
        why += "; another one with `--network`"
    schedule = request.schedule
    if schedule.epochs == 0 and weights is None:
        schedule = replace(schedule, epochs=EPOCHS_FROM_RANDOM)
    if weights is not None and schedule.freeze_until is None:
        schedule = replace(schedule, freeze_until=network(name).last_generic_layer)
    return _Chosen(name, weights, side or network(name).side, schedule, f"network: {why}")


def _tell_what_was_found(photo_set: PhotoSet, observe: Observe) -> None:
    for sentence in (photo_set.summary, *photo_set.told):
        observe(Progress("told", 0, 0, sentence))


def _reading(observe: Observe, photo_set: PhotoSet) -> Callable[[int], None]:
    return lambda done: observe(Progress("reading", done, len(photo_set.train)))
