"""The fitting of a training run: from random weights, or from pretrained ones by way of a probe."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from seefood.imaging.resize_rule import ResizeRule
from seefood_training.data import DecodedPhotos, decode_photos
from seefood_training.fit import fit, predict_logits
from seefood_training.fit_types import Step, Task
from seefood_training.folds import assign_folds
from seefood_training.probed_fit import Job, Observer, Trained, examples, fit_from_probe
from seefood_training.release import Scored
from seefood_training.run_types import Inputs, Observe, Progress
from seefood_training.split import group_copies
from seefood_training.time_left import TimeLeft, duration_text

_SEEDS: Final = 3
"""Of the cross-validations that show how much an accuracy depends on the seed."""
_VIEWS: Final = 2400
"""Of 192 pixels: some minutes of fine-tuning on two cores."""
_VIEWS_OF_NAMED: Final = 4800
"""Of a network that the user names: MobileNetV2 needs them to be better than its probe."""
_MANY: Final = 2000
"""Photos from which on more cross-validations take long, and tell little."""


def fit_from_random(task: Task, inputs: Inputs, rule: ResizeRule, observe: Observe) -> Trained:
    """Return the network, trained from random weights."""
    del rule
    parts, classes = inputs.parts, task.network.classes
    fitted = fit(
        task,
        examples(inputs.photos, classes, parts.training),
        examples(parts.validation, classes),
        inputs.folder / "checkpoint-0.npz",
        _training(observe),
    )
    logits = predict_logits(lambda x: fitted.model(x, training=False), parts.validation.pixels)
    scored = Scored(logits, parts.validation.labels)
    return Trained(fitted.model, scored, (fitted,), {}, parts.validation.photos)


def fit_pretrained(task: Task, inputs: Inputs, rule: ResizeRule, observe: Observe) -> Trained:
    """Return the network, trained from pretrained weights."""
    photos, seed = inputs.photos, task.schedule.seed
    groups, _ = group_copies(photos.fingerprints)
    count = max(2, round(1 / inputs.request.validation_share))
    others = range(seed + 1, seed + _SEEDS) if len(photos.photos) <= _MANY else ()
    folds, *other_folds = (
        assign_folds(photos.sha256, photos.labels, groups, count, each) for each in (seed, *others)
    )
    given = bool(inputs.photo_set.validation)
    if given:  # the first fold is what DATA gives for validation
        larger = replace(rule, height=photos.pixels.shape[1], width=photos.pixels.shape[2])
        validation = decode_photos(inputs.parts.validation.photos, larger)
        photos = _joined(validation, photos)
        first = np.full(len(validation.photos), -1)
        folds = np.concatenate([first, folds])
        other_folds = [np.concatenate([first, each]) for each in other_folds]
    job = Job(
        task=task,
        rule=rule,
        photos=photos,
        folds=folds,
        runs=1 if given else None,
        epochs=task.schedule.epochs or None,
        checkpoints=inputs.folder,
        views=_VIEWS if inputs.request.network is None else _VIEWS_OF_NAMED,
        other_folds=tuple(other_folds),
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


def _training(observe: Observe) -> Callable[[Step], None]:
    clock = TimeLeft()

    def report(step: Step) -> None:
        if step.note:
            observe(Progress("told", 0, 0, step.note))
            return
        note = f"epoch {step.epoch}"
        left = clock.after(step.done, step.total)
        if left:
            note += f", at most {duration_text(left)} left"
        note += f", loss {step.loss:.3f}"
        if step.last is not None:
            note += f", validation {step.last.validation_accuracy:.1%} (mean of the classes)"
        ended = step.last is not None and step.last.number == step.epoch
        observe(Progress("training", step.done, step.total, note, is_milestone=ended))

    return report
