"""Fitting: determinism, continuing from a checkpoint, early stopping, augmentation."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training needs TensorFlow")

import keras

from seefood.errors import JobError
from seefood_training.augment import NONE, PHOTOS, sample_maps, sample_mixing, transform
from seefood_training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from seefood_training.fit import fit
from seefood_training.fit_types import EnoughError, Examples, Fitted, Schedule, Step, Task
from seefood_training.networks import NetworkChoice, NetworkSpec, Weights, build, register

SIDE = 32


def _two_convolutions(choice: NetworkChoice, weights: Weights) -> keras.Model:
    """A network with few variables: TensorFlow traces its steps in a short time."""
    del weights
    pixels = keras.Input(choice.shape)
    x = keras.layers.Rescaling(1 / 255.0)(pixels)
    for name in ("C1", "C5"):
        x = keras.layers.Conv2D(8, 5, 2, activation="tanh", name=name)(x)
    x = keras.layers.Flatten()(x)
    logits = keras.layers.Dense(choice.classes, name="logits", dtype="float32")(x)
    return keras.Model(pixels, logits)


register(NetworkSpec("two_convolutions", SIDE, _two_convolutions, takes_weights=False))

TASK = Task(
    NetworkChoice("two_convolutions", SIDE, SIDE, 2),
    None,
    Schedule(epochs=3, batch_size=8, learning_rate=3e-3, average=0.8, seed=5),
    PHOTOS,
)
KILLED = """
import sys
from dataclasses import replace
from pathlib import Path

from tests.training.test_fit import TASK, examples
from seefood_training.fit import fit

endless = replace(TASK, schedule=replace(TASK.schedule, epochs=10_000, patience=10_000))

fit(
    endless, examples(40), examples(32), Path(sys.argv[1]),
    lambda step: print(step.done, flush=True),
)
"""


class StoppedError(Exception):
    """Raised by a test to end a run early."""


def examples(side: int, count: int = 32) -> Examples:
    """Return pictures of two classes: the upper half is bright, or the lower half."""
    rng = np.random.default_rng(0)
    labels = np.arange(count) % 2
    pixels = rng.integers(0, 60, (count, side, side, 3), dtype=np.uint8)
    for picture, label in zip(pixels, labels, strict=True):
        half = picture[: side // 2] if label else picture[side // 2 :]
        half += 150
    targets = np.eye(2, dtype=np.float32)[labels]
    return Examples(pixels, targets, np.ones(count, np.float32))


def _fit(task: Task = TASK, checkpoint: Path | None = None) -> Fitted:
    return fit(task, examples(40), examples(SIDE), checkpoint)


def _same(left: Fitted, right: Fitted) -> bool:
    weights = zip(left.model.get_weights(), right.model.get_weights(), strict=True)
    return all(np.array_equal(one, other) for one, other in weights)


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    """Return the task of this module, fitted without interruption."""
    return _fit()


def test_determinism(fitted: Fitted) -> None:
    """The same seed gives bit-identical weights, another seed gives others."""
    assert _same(fitted, _fit())
    other = replace(TASK, schedule=replace(TASK.schedule, seed=6))
    assert not _same(fitted, _fit(other))


def test_resume(tmp_path: Path, fitted: Fitted) -> None:
    """A run that ended in its second epoch continues after its first and gives the same weights."""
    file = tmp_path / "checkpoint.npz"

    def stop(step: Step) -> None:
        if step.epoch == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        fit(TASK, examples(40), examples(SIDE), file, stop)
    steps: list[int] = []
    resumed = fit(TASK, examples(40), examples(SIDE), file, lambda step: steps.append(step.done))

    assert 5 == steps[0]
    assert _same(fitted, resumed)


@pytest.mark.slow
def test_kill(tmp_path: Path) -> None:
    """`kill -9` in the middle of an epoch leaves a complete checkpoint."""
    file = tmp_path / "checkpoint.npz"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if line.strip().isdigit() and int(line) > 10:
                break
        run.send_signal(signal.SIGKILL)

    assert file.is_file()
    with np.load(file) as arrays:
        head = str(arrays["head"])
    assert '"number": 2' in head


def test_checkpoint_of_another_task(tmp_path: Path) -> None:
    """A checkpoint of another task, or a damaged one, is ignored."""
    file = tmp_path / "checkpoint.npz"
    saved = Checkpoint("mine", [{"number": 1}], [np.arange(3)], [np.arange(2)])
    save_checkpoint(file, saved)
    loaded = load_checkpoint(file, "mine")

    assert loaded is not None
    assert saved.epochs == loaded.epochs
    np.testing.assert_array_equal(saved.variables[0], loaded.variables[0])
    assert load_checkpoint(file, "another") is None
    file.write_bytes(file.read_bytes()[:100])
    assert load_checkpoint(file, "mine") is None


def test_a_checkpoint_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    """The sentence names the file; a half-written one would take space of a full disk."""
    file = tmp_path / "checkpoint.npz"
    file.mkdir()
    with pytest.raises(JobError, match=r"cannot write .*checkpoint\.npz: Is a directory; free"):
        save_checkpoint(file, Checkpoint("mine", [], [np.arange(3)], [np.arange(2)]))
    assert [file] == list(tmp_path.iterdir())


def test_learns() -> None:
    """A few epochs separate the two classes, and the best epoch is kept."""
    schedule = replace(TASK.schedule, epochs=12)
    fitted = _fit(replace(TASK, schedule=schedule, augmentation=NONE))
    losses = [epoch.validation_loss for epoch in fitted.epochs]

    assert min(losses) == losses[fitted.best - 1]
    assert fitted.epochs[fitted.best - 1].validation_accuracy == 1.0


def test_start_and_early_stopping() -> None:
    """A fit begins with the given weights, and ends `patience` epochs after the last improvement.

    With a learning rate near 0 no epoch is an improvement, and the weights stay the same.
    """
    start = [weight + 1.0 for weight in build(TASK.network).get_weights()]
    schedule = replace(TASK.schedule, epochs=50, learning_rate=1e-12, patience=2)
    still = replace(TASK, schedule=schedule)
    fitted = fit(still, examples(40), examples(SIDE), start=start)

    assert len(fitted.epochs) < 50
    for expected, actual in zip(start, fitted.model.get_weights(), strict=True):
        np.testing.assert_allclose(expected, actual, atol=1e-4)


def test_frozen_layers() -> None:
    """Layers up to `freeze_until` keep their weights; later layers change."""
    schedule = replace(TASK.schedule, freeze_until="C1", average=0.0, epochs=1)
    keras.utils.set_random_seed(schedule.seed)
    before = build(TASK.network)
    after = _fit(replace(TASK, schedule=schedule)).model

    for name, expected in (("C1", True), ("C5", False)):
        weights = [model.get_layer(name).get_weights()[0] for model in (before, after)]
        assert expected == np.array_equal(*weights)


def test_no_augmentation() -> None:
    """Without augmentation a view equals the photo."""
    photos = examples(SIDE, 4).pixels
    maps = sample_maps(np.random.default_rng(0), 4, (SIDE, SIDE), (SIDE, SIDE), NONE)

    np.testing.assert_allclose(photos, transform(photos, maps, (SIDE, SIDE)), atol=0.01)


def test_views_stay_inside() -> None:
    """A view without tilt is inside the photo: its corners map into it."""
    rng = np.random.default_rng(1)
    level = replace(PHOTOS, tilt=0.0)
    maps = sample_maps(rng, 200, (40, 60), (32, 24), level)
    corners = np.asarray([[x, y, 1.0] for x in (0, 23) for y in (0, 31)])
    x, y = corners @ maps[:, 0:3].T, corners @ maps[:, 3:6].T

    assert x.min() >= -0.5
    assert x.max() <= 59.5
    assert y.min() >= -0.5
    assert y.max() <= 39.5


def test_mixing() -> None:
    """A picture's share in its mixture is at least one half."""
    rng = np.random.default_rng(2)
    shares = np.concatenate([sample_mixing(rng, 8, PHOTOS) for _ in range(50)])

    assert shares.min() >= 0.5
    assert shares.max() == 1.0


def test_collapse() -> None:
    """Steps that are far too large are noticed after an epoch, told, and made smaller."""
    told: list[str] = []
    keras.utils.set_random_seed(TASK.schedule.seed)  # not what another test left
    start = build(TASK.network).get_weights()
    schedule = replace(TASK.schedule, learning_rate=3.0, epochs=2)
    task = replace(TASK, schedule=schedule, augmentation=NONE)
    fitted = fit(
        task,
        examples(40),
        examples(SIDE),
        observe=lambda step: told.append(step.note) if step.note else None,
        start=start,
    )

    assert ["6.0e-01", "1.2e-01"] == [line.rsplit(" ", 1)[-1] for line in told]
    assert all("predicts one class for every photo" in line for line in told)
    assert 1.0 == fitted.epochs[-1].validation_accuracy


def test_a_collapse_with_the_smallest_steps_is_told() -> None:
    """There is a result, and nobody takes it for a good one."""
    told: list[str] = []
    schedule = replace(TASK.schedule, learning_rate=1e6, epochs=1)
    fitted = fit(
        replace(TASK, schedule=schedule, augmentation=NONE),
        examples(40),
        examples(SIDE),
        observe=lambda step: told.append(step.note) if step.note else None,
        start=build(TASK.network).get_weights(),
    )

    assert 1 == len(fitted.epochs)
    assert 3 == len(told)
    assert told[-1].endswith("also with smaller steps; the best epoch so far is kept")


def test_enough() -> None:
    """An observer may end the training; the best epoch so far is kept, if there is one."""

    def end_in(epoch: int) -> Fitted:
        def observe(step: Step) -> None:
            if step.epoch == epoch:
                raise EnoughError

        return fit(TASK, examples(40), examples(SIDE), observe=observe)

    with pytest.raises(EnoughError):
        end_in(1)
    assert 1 == len(end_in(2).epochs)
