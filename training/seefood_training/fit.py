"""Fits a network to photos, with weight averaging, early stopping and a checkpoint per epoch.

All randomness of an epoch comes from the seed and the epoch's number. A killed run continues from
its last complete epoch and ends with the same weights as an uninterrupted one. The result is the
running average of the weights at the epoch with the lowest validation loss.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from seefood.imaging.decode import Pixels
from seefood_training.augment import mix, recolour, sample_maps, sample_mixing, transform
from seefood_training.calibrate import calibrated
from seefood_training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from seefood_training.fit_types import (
    EnoughError,
    Epoch,
    Examples,
    Fitted,
    Floats,
    Schedule,
    Step,
    Task,
)
from seefood_training.networks import build, inference_model

_EVALUATION_BATCH: Final = 64
_ATTEMPTS: Final = 3
_PATIENCE_AT_CHANCE: Final = 4
"""Epochs after which a network from random weights should be better than chance."""
_AUXILIARY_LOSS_WEIGHT: Final = 0.3
"""For outputs after the first (GoogLeNet's paper, section 5)."""


def fit(
    task: Task,
    training: Examples,
    validation: Examples,
    checkpoint: Path | None = None,
    observe: Callable[[Step], None] = lambda _: None,
    start: Sequence[Floats] = (),
) -> Fitted:
    """Return the network of `task`, trained.

    The file `checkpoint` is written after every epoch; if it exists and is of the same task, the
    run continues from it. `observe` is called after every step. `start` replaces the initial
    weights, in the order of `get_weights`. A run that collapses begins again with smaller steps, at
    most twice; a `Step` with a note says so, also where the last run collapses. If `observe` raises
    `EnoughError`, the result is that of the epochs so far; before the end of the first the error
    goes on. Raises `UsageError` for a network that cannot be built.
    """
    for attempt in range(_ATTEMPTS):
        keras.utils.set_random_seed(task.schedule.seed)
        trainer = _Trainer(task, training, validation, start)
        file = None if checkpoint is None else _numbered(checkpoint, attempt)
        try:
            _run(trainer, file, task.fingerprint(training), observe)
        except EnoughError:
            if not trainer.has_result:
                raise
            break
        if not (problem := trainer.collapse):
            break
        if attempt == _ATTEMPTS - 1:
            kept = f"{problem}, also with smaller steps; the best epoch so far is kept"
            observe(Step(0, 1, 0, float("nan"), None, kept))
            break
        task = replace(task, schedule=gentler(task.schedule))
        again = f"training begins again with a learning rate of {task.schedule.learning_rate:.1e}"
        observe(Step(0, 1, 0, float("nan"), None, f"{problem}; {again}"))
    return trainer.result()


def gentler(schedule: Schedule) -> Schedule:
    """Return `schedule` for a run that collapsed: smaller steps, which are averaged less long."""
    return replace(
        schedule, learning_rate=schedule.learning_rate / 5, average=min(schedule.average, 0.99)
    )


def _numbered(checkpoint: Path, attempt: int) -> Path:
    """Return the file of an attempt: a killed run does not repeat those before."""
    return checkpoint.with_stem(f"{checkpoint.stem}-{attempt}") if attempt else checkpoint


def _run(
    trainer: "_Trainer", file: Path | None, fingerprint: str, observe: Callable[[Step], None]
) -> None:
    """Run the epochs that `file` does not have yet, until the end or a collapse."""
    if file is not None and (saved := load_checkpoint(file, fingerprint)) is not None:
        trainer.restore(saved)
    while not trainer.is_done and not trainer.collapse:
        trainer.run_epoch(observe)
        if file is not None:
            save_checkpoint(file, trainer.state(fingerprint))


class _Trainer:
    """The state of a run between two epochs."""

    def __init__(
        self, task: Task, training: Examples, validation: Examples, start: Sequence[Floats]
    ) -> None:
        self._task, self._training, self._validation = task, training, validation
        schedule = task.schedule
        self._model = _build(task, fast=schedule.fast)
        self._is_pretrained = bool(start) or task.weights is not None
        if start:
            self._model.set_weights(list(start))
        self._inference = inference_model(self._model)
        used = int(np.count_nonzero(training.weights))
        self._batch = min(schedule.batch_size, used)
        self._steps = used // self._batch
        total = max(2, self._steps * schedule.epochs)
        warm = min(self._steps, total // 2)
        self._rate = keras.optimizers.schedules.CosineDecay(
            schedule.learning_rate / 100,
            total - warm,
            warmup_target=schedule.learning_rate,
            warmup_steps=warm,
        )
        self._optimizer = keras.optimizers.AdamW(
            self._rate, weight_decay=schedule.weight_decay, clipnorm=1.0
        )
        self._optimizer.build(self._model.trainable_variables)
        # All weights, not only the trainable ones: the statistics of batch norms must match them.
        self._averages = [tf.Variable(weight) for weight in self._model.weights]
        self._best: list[NDArray[Any]] = []
        self._epochs: list[Epoch] = []
        self._step = tf.function(self._train_step, reduce_retracing=True)
        self._predict = tf.function(
            lambda x: self._inference(x, training=False), reduce_retracing=True
        )

    @property
    def has_result(self) -> bool:
        return bool(self._best)

    @property
    def is_done(self) -> bool:
        schedule = self._task.schedule
        passed = len(self._epochs)
        return passed >= schedule.epochs or passed - self._best_epoch() >= schedule.patience

    @property
    def collapse(self) -> str:
        """What is wrong with the run so far, for the user; empty if nothing is.

        A loss that is no number, or one class for all photos at a loss no better than chance: from
        pretrained weights after any epoch, otherwise in each of the first few.
        """
        if not self._epochs:
            return ""
        last, classes = self._epochs[-1], self._task.network.classes
        if not np.isfinite([last.training_loss, last.validation_loss]).all():
            return f"after epoch {last.number} the loss is {last.training_loss:g}"
        window = 1 if self._is_pretrained else _PATIENCE_AT_CHANCE
        recent = self._epochs[-window:]
        if len(recent) == window and all(
            each.classes_predicted == 1 and each.validation_loss > 0.98 * np.log(classes)
            for each in recent
        ):
            return (
                f"after epoch {last.number} the network predicts one class for every photo, with a "
                f"loss of {last.validation_loss:.3f} (chance: {np.log(classes):.3f})"
            )
        return ""

    def run_epoch(self, observe: Callable[[Step], None]) -> None:
        schedule, started = self._task.schedule, time.monotonic()
        number = len(self._epochs) + 1
        rng = np.random.default_rng([schedule.seed, number])
        losses = []
        total = self._steps * schedule.epochs
        last = self._epochs[-1] if self._epochs else None
        for index, chosen in enumerate(self._draw(rng)):
            step = (number - 1) * self._steps + index
            loss = self._step(self._views(rng, chosen, step))
            losses.append(float(loss))
            observe(Step(step + 1, total, number, losses[-1], last))
        loss, accuracy, predicted = self._validate()
        rate = float(self._rate(self._optimizer.iterations))
        epoch = Epoch(
            number,
            float(np.mean(losses)),
            loss,
            accuracy,
            rate,
            time.monotonic() - started,
            predicted,
        )
        self._epochs.append(epoch)
        if self._best_epoch() == number:
            self._best = [average.numpy() for average in self._averages]
        observe(Step(number * self._steps, total, number, losses[-1], epoch))

    def state(self, fingerprint: str) -> Checkpoint:
        return Checkpoint(
            fingerprint,
            [asdict(epoch) for epoch in self._epochs],
            [np.asarray(it) for group in self._variables() for it in group],
            self._best,
        )

    def restore(self, saved: Checkpoint) -> None:
        variables = [variable for group in self._variables() for variable in group]
        for variable, value in zip(variables, saved.variables, strict=True):
            variable.assign(value)
        self._best = saved.best
        self._epochs = [Epoch(**epoch) for epoch in saved.epochs]

    def result(self) -> Fitted:
        for variable, value in zip(self._model.weights, self._best, strict=True):
            variable.assign(value)
        plain = _build(replace(self._task, weights=None), fast=False)
        plain.set_weights(self._model.get_weights())
        return Fitted(inference_model(plain), tuple(self._epochs), self._best_epoch())

    def _variables(self) -> tuple[list[Any], ...]:
        return self._model.variables, self._optimizer.variables, self._averages

    def _best_epoch(self) -> int:
        """Return the number of the epoch with the lowest validation loss, 0 before the first."""
        if not self._epochs:
            return 0
        return min(
            self._epochs, key=lambda epoch: np.nan_to_num(epoch.validation_loss, nan=np.inf)
        ).number

    def _draw(self, rng: np.random.Generator) -> list[NDArray[np.int64]]:
        """Return an epoch's batches by systematic sampling.

        The number of times that a photo occurs differs from its expected number by less than one.
        """
        shares = np.cumsum(self._training.weights.astype(np.float64))
        count = self._steps * self._batch
        points = (np.arange(count) + rng.random()) / count * shares[-1]
        last = np.flatnonzero(self._training.weights)[-1]
        drawn = np.minimum(np.searchsorted(shares, points, "right"), last)
        return [np.sort(part) for part in rng.permutation(drawn).reshape(self._steps, self._batch)]

    def _views(
        self, rng: np.random.Generator, chosen: NDArray[np.int64], step: int
    ) -> tuple[Any, ...]:
        """Return the arguments of `_train_step` for the photos `chosen`."""
        pixels = self._training.pixels[chosen]
        network, augmentation = self._task.network, self._task.augmentation
        target = (network.height, network.width)
        maps = sample_maps(rng, len(chosen), pixels.shape[1:3], target, augmentation)
        shares = sample_mixing(rng, len(chosen), augmentation)
        partners = rng.permutation(len(chosen))
        targets = self._training.targets[chosen]
        average = min(self._task.schedule.average, (1 + step) / (10 + step))
        seed = tf.constant([self._task.schedule.seed, step], tf.int32)
        return (
            *map(tf.constant, (pixels, maps, targets, shares, partners)),
            seed,
            tf.constant(average, tf.float32),
        )

    def _train_step(self, batch: tuple[Any, ...]) -> Any:
        pixels, maps, targets, shares, partners, seed, average = batch
        network = self._task.network
        images = transform(pixels, maps, (network.height, network.width))
        images = recolour(images, seed, self._task.augmentation)
        images, targets = mix(images, shares, partners), mix(targets, shares, partners)
        variables = self._model.trainable_variables
        with tf.GradientTape() as tape:
            outputs = self._model(images, training=True)
            main, *extra = outputs if isinstance(outputs, list) else [outputs]
            loss = _cross_entropy(targets, main)
            for output in extra:
                loss += _AUXILIARY_LOSS_WEIGHT * _cross_entropy(targets, output)
        self._optimizer.apply(tape.gradient(loss, variables), variables)
        for mean, variable in zip(self._averages, self._model.weights, strict=True):
            mean.assign(average * mean + (1.0 - average) * variable)
        return loss

    def _validate(self) -> tuple[float, float, int]:
        """Return the averaged weights' loss, accuracy and classes on the validation photos."""
        variables = self._model.weights
        current = [variable.numpy() for variable in variables]
        for variable, mean in zip(variables, self._averages, strict=True):
            variable.assign(mean)
        logits = predict_logits(self._predict, self._validation.pixels)
        for variable, value in zip(variables, current, strict=True):
            variable.assign(value)
        weights = self._validation.weights / self._validation.weights.sum()
        scaled = calibrated(logits, self._validation.targets.argmax(axis=1))
        shifted = scaled - scaled.max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        loss = -(self._validation.targets * logs).sum(axis=1)
        right = logits.argmax(axis=1) == self._validation.targets.argmax(axis=1)
        classes = len(np.unique(logits.argmax(axis=1)))
        return float((weights * loss).sum()), float((weights * right).sum()), classes


def predict_logits(model: Callable[[Any], Any], pixels: Pixels) -> Floats:
    """Return the outputs of `model`, of shape `(n, columns)`, for uint8 `pixels` `(n, h, w, 3)`."""
    parts = []
    for start in range(0, len(pixels), _EVALUATION_BATCH):
        batch = np.asarray(pixels[start : start + _EVALUATION_BATCH])
        parts.append(np.asarray(model(tf.cast(tf.constant(batch), tf.float32)), np.float32))
    return np.concatenate(parts)


def _cross_entropy(targets: Any, logits: Any) -> Any:
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))


def _build(task: Task, *, fast: bool) -> keras.Model:
    model = build(task.network, task.weights, for_training=True, fast=fast)
    if task.schedule.freeze_until is not None:
        for layer in model.layers:
            layer.trainable = False
            if layer.name == task.schedule.freeze_until:
                break
    return model
