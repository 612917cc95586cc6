"""Trains a pretrained network: a linear probe first, then as much fine-tuning as helps.

The probe is cross-validated: its regularisation is chosen, and every photo is predicted by a probe
that has not seen it. Fine-tuning starts from the probe of all folds but one and is validated on
that fold; where there are few photos, several folds take their turn. The fine-tuned weights are
interpolated with the probe's (`seefood_training.interpolation`). Several runs are averaged (model
soups: M. Wortsman et al., ICML 2022, arXiv:2203.05482).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from seefood.imaging.resize_rule import ResizeRule
from seefood_training.data import DecodedPhotos, Photo, decode_photos
from seefood_training.fit import fit, predict_logits
from seefood_training.fit_types import EnoughError, Examples, Fitted, Floats, Step, Task
from seefood_training.interpolation import (
    POSITIONS,
    Weights,
    choose_position,
    explain,
    interpolate,
)
from seefood_training.linear_probe import Examined, install_probe
from seefood_training.metrics import Share
from seefood_training.networks import network
from seefood_training.probe_choice import ProbeChoice, predict_out_of_fold
from seefood_training.probing import equal_classes, examine
from seefood_training.release import Scored

_USUAL_SIDE: Final = 192
_MOST_TIMES: Final = 4
"""Up to so many times as many views are seen if they are smaller."""
_EPOCHS: Final = 5
"""Epochs of a run; where the photos are few, up to twice as many."""
_MOST_RUNS: Final = 2
_FEWEST_LEFT_OUT: Final = 25
"""Photos that the runs leave out. Fewer cannot show that fine-tuning helps: the probe is kept."""


@dataclass(frozen=True, slots=True)
class Observer:
    """Where progress goes."""

    read: Callable[[int], None]
    """Called with the number of photos whose features are computed."""
    step: Callable[[Step], None]
    tell: Callable[[str], None]
    """Called with a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is trained, on what."""

    task: Task
    """For pictures of `rule`; its views in fine-tuning may be smaller."""
    rule: ResizeRule
    photos: DecodedPhotos
    """All photos, a little larger than the network's input."""
    folds: NDArray[np.int64]
    """Of shape `(n,)`; copies of a photo are in one fold. Runs are validated on the first ones."""
    runs: int | None
    """Of fine-tuning; None: as many as the budget of views allows."""
    epochs: int | None
    """None: as many as the budget of views allows."""
    checkpoints: Path
    """The folder for the runs' checkpoints."""
    views: int
    """Views of 192 pixels that fine-tuning sees in all, unless `epochs` is given."""
    other_folds: tuple[NDArray[np.int64], ...] = ()
    """Of other seeds, to show how much the probe's accuracy depends on the seed."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained model, and its answers for photos that it, or its parts, were not trained on."""

    model: keras.Model
    scored: Scored
    runs: tuple[Fitted, ...]
    record: dict[str, Any]
    unseen: tuple[Photo, ...] = ()
    """Those that no part of the model was trained on: none if each part left out others."""


def fit_from_probe(job: Job, observer: Observer) -> Trained:
    """Return the network of `job`, trained, with what was chosen and measured."""
    probing = examine(job.task, job.rule, job.photos, job.folds, observer.read)
    if probing.note:
        observer.tell(probing.note)
    model, examined, choice = probing.model, probing.examined, probing.choice
    job = replace(job, task=probing.task)
    logits = predict_out_of_fold(examined, choice.fit, mirrored=False)
    probe_right = Share(int((logits.argmax(axis=1) == examined.labels).sum()), len(logits))
    by_seed = [probe_right.value, *_of_other_seeds(examined, choice, job.other_folds)]
    observer.tell(
        f"linear probe on {job.task.network.name} ({choice.estimator.name}, "
        f"{len(np.unique(examined.folds))}-fold cross-validation): {_percent(probe_right)}"
        f"{_spread(by_seed)}"
    )
    install_probe(model, choice.fit(examined))
    runs = _run_folds(model, examined, choice, job, observer)
    record: dict[str, Any] = {
        "reads_blocks": job.task.network.reads_blocks,
        "probe": choice.estimator.name,
        "probe_strength": choice.strength,
        "probe_accuracy": round(probe_right.value, 4),
        "probe_accuracy_by_seed": [round(value, 4) for value in by_seed],
        "folds": len(np.unique(examined.folds)),
        "runs": len(runs),
        "tuned": 0.0,
    }
    everything = Scored(logits, examined.labels)
    if not runs:
        return Trained(model, everything, (), record)
    held = np.concatenate([run.held_out for run in runs])
    labels, weights = examined.labels[held], examined.weights[held]
    by_position = np.stack(
        [logits[held], *np.concatenate([run.logits for run in runs], axis=1)], axis=0
    )
    best = choose_position(by_position, labels, weights)
    observer.tell(explain(best, by_position, labels, weights))
    record["tuned"] = POSITIONS[best]
    fitted = tuple(run.fitted for run in runs)
    if best == 0:
        return Trained(model, everything, fitted, record)
    parts = [interpolate(run.start, run.end, POSITIONS[best]) for run in runs]
    model.set_weights([np.mean(each, axis=0) for each in zip(*parts, strict=True)])
    unseen = tuple(job.photos.photos[at] for at in held) if len(runs) == 1 else ()
    return Trained(model, Scored(by_position[best], labels), fitted, record, unseen)


@dataclass(frozen=True, slots=True)
class _Run:
    """One fine-tuning run."""

    start: Weights
    end: Weights
    held_out: NDArray[np.int64]
    """Indices of the photos that it was validated on."""
    logits: Floats
    """Of these photos at each of `POSITIONS` but the first, of shape `(positions, n, classes)`."""
    fitted: Fitted


def _run_folds(
    model: keras.Model, examined: Examined, choice: ProbeChoice, job: Job, observer: Observer
) -> list[_Run]:
    count = len(examined.labels)
    folds = np.unique(examined.folds)
    seen = max(1, round(count * (1 - 1 / len(folds))))
    side = learning_side(job.task.network.name, job.task.network.height)
    views = affordable_views(job.views, side)
    affordable = max(1, views // (seen * (job.epochs or _EPOCHS)))
    runs = job.runs or min(len(folds), _MOST_RUNS, affordable)
    left_out = int(np.isin(examined.folds, folds[:runs]).sum())
    if job.epochs is None and left_out < _FEWEST_LEFT_OUT:
        observer.tell(
            f"no fine-tuning: the {left_out} photos that it would leave out are too few to show "
            "that it helps; `--epochs 10` tries it"
        )
        return []
    epochs = job.epochs or min(2 * _EPOCHS, max(1, views // (seen * runs)))
    observer.tell(
        f"fine-tuning from the probe: {runs} run{'s' * (runs > 1)} of at most {epochs} "
        f"epoch{'s' * (epochs > 1)}, each validated on photos that it does not see"
    )
    job = replace(job, task=replace(job.task, schedule=replace(job.task.schedule, epochs=epochs)))
    backbone = model.get_weights()[:-2]
    done: list[_Run] = []
    for number, fold in enumerate(folds[:runs]):
        held = examined.folds == fold
        probe = choice.fit(examined.at(~held))
        start = [*backbone, probe.coefficients, probe.intercepts]
        try:
            done.append(_run(model, start, np.flatnonzero(held), (number, job), observer.step))
        except EnoughError:
            break  # the probe and the runs before are the result
    return done


def _run(
    model: keras.Model,
    start: Weights,
    held_out: NDArray[np.int64],
    numbered: tuple[int, Job],
    observe: Callable[[Step], None],
) -> _Run:
    """Fine-tune from `start`; the weights of `model` are the same afterwards."""
    number, job = numbered
    task, classes = job.task, job.task.network.classes
    side = learning_side(task.network.name, task.network.height)
    smaller = replace(task, network=replace(task.network, height=side, width=side))
    inside = np.ones(len(job.photos.photos), np.bool_)
    inside[held_out] = False
    validation = [job.photos.photos[at] for at in held_out]
    seen = decode_photos(validation, replace(job.rule, height=side, width=side))
    fitted = fit(
        smaller,
        examples(job.photos, classes, inside),
        examples(seen, classes),
        job.checkpoints / f"checkpoint-{number}.npz",
        observe,
        start,
    )
    end = fitted.model.get_weights()
    before = model.get_weights()
    pixels = decode_photos(validation, job.rule).pixels
    logits = []
    for position in POSITIONS[1:]:
        model.set_weights(interpolate(start, end, position))
        logits.append(predict_logits(lambda images: model(images, training=False), pixels))
    model.set_weights(before)
    return _Run(start, end, held_out, np.stack(logits), fitted)


def affordable_views(usual: int, side: int) -> int:
    """Return how many views of `side` pixels take as long as `usual` ones of 192 pixels.

    They are not fewer where they are larger.
    """
    return round(usual * min(_MOST_TIMES, max(1, (_USUAL_SIDE / side) ** 2)))


def learning_side(name: str, side: int) -> int:
    """Return the side of the views that the network `name` learns from, for inputs of `side`."""
    scale = network(name).learns_at
    return side if scale == 1.0 else max(32, round(side * scale / 32) * 32)


def examples(
    photos: DecodedPhotos, classes: int, used: NDArray[np.bool_] | None = None
) -> Examples:
    """Return `photos` with targets and the same total weight for each class.

    Those that are not `used`, a mask of shape `(n,)`, have no weight: their pixels are not copied.
    """
    labels = photos.labels
    used = np.ones(len(labels), np.bool_) if used is None else used
    weights = np.zeros(len(labels), np.float32)
    weights[used] = equal_classes(labels[used])
    return Examples(photos.pixels, np.eye(classes, dtype=np.float32)[labels], weights)


def _of_other_seeds(
    examined: Examined, choice: ProbeChoice, folds: Sequence[NDArray[np.int64]]
) -> list[float]:
    """Return the accuracy of the probe in cross-validation with each of `folds`."""
    logits = (
        predict_out_of_fold(replace(examined, folds=each), choice.fit, mirrored=False)
        for each in folds
    )
    return [float((each.argmax(axis=1) == examined.labels).mean()) for each in logits]


def _spread(values: Sequence[float]) -> str:
    if len(values) < 2:
        return ""
    return f"; over {len(values)} seeds {min(values):.1%} to {max(values):.1%}"


def _percent(share: Share) -> str:
    low, high = share.interval
    return f"{share.value:.1%} of {share.total:,} photos right (95 % {low:.1%} to {high:.1%})"
