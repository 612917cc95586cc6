"""The end of a training run: the bundle, its faster variants and the training folder's files."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from math import ceil
from pathlib import Path
from typing import Final

import numpy as np

from seefood.bundle import Bundle, load_variants
from seefood.drift.reference import Answer
from seefood.imaging.resize_rule import ResizeRule
from seefood_training.calibrate import softmax
from seefood_training.contact_sheets import (
    augmentation_contact_sheet,
    draw_curves,
    sample_contact_sheet,
)
from seefood_training.data import Photo, decode_photos
from seefood_training.fit_types import Fitted, Task
from seefood_training.model_card import render_card
from seefood_training.probed_fit import Trained
from seefood_training.reference import MIN_HELD_OUT, Known, add_reference
from seefood_training.release import (
    Calibration,
    ExportedModel,
    Scored,
    calibrate,
    calibration_pictures,
    measure,
    release_bundle,
)
from seefood_training.release_check import shipped_model
from seefood_training.run_types import Inputs, Observe, Progress, weights_name
from seefood_training.training_photos import FILE as TRAINING_PHOTOS
from seefood_training.training_photos import copy_figures
from seefood_training.variants import MIN_PHOTOS, FastData, add_variants

_SHEET_PHOTOS: Final = 4
_CALIBRATION_PHOTOS: Final = 200
"""To measure the ranges of an integer network on; each takes 60 ms."""
_REFERENCE_PHOTOS: Final = 1500
"""Enough to describe what the photos are like."""


def release(
    inputs: Inputs, task: Task, trained: Trained, rule: ResizeRule, folder: Path
) -> tuple[Bundle, Calibration]:
    """Calibrate, measure and write the bundle to `folder`; return it and what was calibrated."""
    request, parts, labels = inputs.request, inputs.parts, inputs.photo_set.labels
    record = {
        "network": task.network.name,
        "multiplier": task.network.multiplier,
        "parameters": trained.model.count_params(),
        "weights": weights_name(task.weights),
        "photos": {
            "training": _count_trained(inputs, task),
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
        folder,
        calibration=calibration,
        metrics=metrics,
        quantisation=request.quantisation,
        calibration_images=pictures,
        extra_files={"MODEL_CARD.md": card.encode(), TRAINING_PHOTOS: parts.known.encode()},
    )
    return bundle, calibration


def _count_trained(inputs: Inputs, task: Task) -> int:
    """Return how many photos the weights were fitted to: from pretrained ones, in turn all."""
    if task.weights is None:
        return int(np.count_nonzero(inputs.parts.training))
    return len(inputs.photos.photos)


def with_variants(bundle: Bundle, inputs: Inputs, trained: Trained, observe: Observe) -> Bundle:
    """Add faster variants, if there are photos that their loss can be measured on."""
    if inputs.request.reject_unknown is not None:
        observe(Progress("told", 0, 0, "no faster variant: it would not reject unknown pictures"))
        return bundle
    data = variant_data(inputs, trained.unseen)
    if len(data.measured) < MIN_PHOTOS:
        sentence = (
            f"no faster variant: {len(data.measured)} photos that the network has not seen are too "
            f"few to measure one on; give at least {MIN_PHOTOS} in test/, or add one with "
            f"`seefood package {inputs.request.output} --fast-data DATA`"
        )
        observe(Progress("told", 0, 0, sentence))
        return bundle
    bundle, notes = add_variants(bundle, data)
    made = [_sentence(variant) for variant in load_variants(bundle)]
    for sentence in (*made, *(f"no variant {note}" for note in notes)):
        observe(Progress("told", 0, 0, sentence))
    return bundle


def with_reference(
    bundle: Bundle, inputs: Inputs, trained: Trained, calibration: Calibration
) -> Bundle:
    """Tell the bundle what its training photos are like, so that runs find drift.

    How right its scores are is told by photos that it was not trained on, or else by the answers
    that calibrated it.
    """
    labels = inputs.photo_set.labels
    training, held_out = photos_to_describe(inputs, trained.unseen)
    answers = cross_validated(trained.scored, calibration.temperature, labels)
    known = Known(labels, training, held_out, answers)
    return add_reference(bundle, known, inputs.request.reject_unknown)


def photos_to_describe(
    inputs: Inputs, unseen: Sequence[Photo]
) -> tuple[Sequence[Photo], Sequence[Photo]]:
    """Return the training photos that a bundle is told of, and those that it was not trained on.

    Without enough of the latter there are none, and all are training photos. Either are so many
    that the share of `--reject-unknown` can be told of them, which `check_photos` has checked.
    """
    share = inputs.request.reject_unknown
    needed = 0 if share is None else ceil(1 / share)
    photos = inputs.photos.photos
    held_out = photos_to_test_with(inputs) or tuple(unseen)
    if len(held_out) < max(MIN_HELD_OUT, needed):
        held_out = ()
    held_out_uris = {photo.ref.uri for photo in held_out}
    step = -(-len(photos) // _REFERENCE_PHOTOS)
    if needed and not held_out:
        step = min(step, len(photos) // needed)
    return [photo for photo in photos[::step] if photo.ref.uri not in held_out_uris], held_out


def cross_validated(
    scored: Scored, temperature: float, labels: Sequence[str]
) -> tuple[Answer, ...]:
    """Return what networks that were not trained on a photo say of it, with calibrated scores."""
    probabilities = softmax(scored.logits / temperature)
    best, top = probabilities.argmax(axis=1).tolist(), probabilities.max(axis=1).tolist()
    return tuple(
        Answer(labels[label], score, labels[truth])
        for label, score, truth in zip(best, top, scored.labels.tolist(), strict=True)
    )


def photos_to_test_with(inputs: Inputs) -> tuple[Photo, ...]:
    """Return the photos to test with, without copies of others.

    On photos that a network was trained on it is so sure that no figure of them holds for new ones.
    """
    if (test := inputs.parts.test) is None:
        return ()
    pairs = zip(test.photos, inputs.parts.test_copies, strict=True)
    return tuple(photo for photo, copy in pairs if copy is None)


def variant_data(inputs: Inputs, unseen: Sequence[Photo]) -> FastData:
    """Return the photos to measure variants on: those to test with, or else `unseen`.

    The ranges of integers come from other photos.
    """
    measured, name = tuple(unseen), "the validation photos"
    if inputs.parts.test is not None:
        measured, name = photos_to_test_with(inputs), "the test photos"
    held = {photo.ref.uri for photo in measured}
    others = [photo for photo in inputs.photos.photos if photo.ref.uri not in held]
    calibration = others[:: max(1, len(others) // _CALIBRATION_PHOTOS)]
    return FastData(measured, calibration, name)


def _sentence(bundle: Bundle) -> str:
    variant = bundle.variant
    assert variant is not None  # noqa: S101 (`load_variants` checks it)
    return f"faster variant {variant.name}: {variant.time_share:.0%} of the time, " + (
        variant.loss.sentence
    )


def write_documentation(inputs: Inputs, runs: Sequence[Fitted], task: Task) -> None:
    """Write contact sheets, curves and figures; remove the checkpoints."""
    folder, photos, labels = inputs.folder, inputs.photos, inputs.photo_set.labels
    sample_contact_sheet(photos, labels).save(folder / "photos.jpg", quality=88)
    first = np.stack(
        [photos.pixels[np.flatnonzero(photos.labels == index)[0]] for index in range(len(labels))]
    )[:_SHEET_PHOTOS]
    size = (task.network.height, task.network.width)
    views = augmentation_contact_sheet(first, size, task.augmentation)
    views.save(folder / "augmentation.jpg", quality=88)
    if runs:  # none if training was stopped in the first epoch
        draw_curves(runs[0].epochs, runs[0].best, folder / "curves.png")
        history = [asdict(epoch) for epoch in runs[0].epochs]
        (folder / "epochs.json").write_text(json.dumps(history, indent=2) + "\n")
    for file in folder.glob("checkpoint-*.npz"):
        file.unlink(missing_ok=True)
