"""`seefood train --keep-on-interrupt`: what a signal does, by the stage of the run."""

import os
import signal
from collections.abc import Iterator

import pytest

pytest.importorskip("tensorflow", reason="training needs TensorFlow")

from seefood.cli.interrupts import interruptible
from seefood_training.commands.keeping import ENDING, Keeper, keeping
from seefood_training.fit_types import EnoughError
from seefood_training.run_types import Progress

TRAINING = Progress("training", 3, 10)


@pytest.fixture(autouse=True)
def _as_in_a_command() -> Iterator[None]:
    with interruptible():
        yield


def _interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_during_training_the_first_signal_ends_the_fitting() -> None:
    """The user is told, and the next step ends the fitting; then the bundle is written."""
    told: list[str] = []
    keeper = Keeper()
    with keeping(keeper):
        observe = keeper.watch(lambda progress: told.append(progress.note))
        observe(TRAINING)
        _interrupt()
        with pytest.raises(EnoughError):
            observe(TRAINING)
        observe(Progress("exporting", 0, 1))
    assert ENDING in told


def test_a_second_signal_stops_the_run() -> None:
    """Whoever does not want to wait presses Ctrl-C again."""
    keeper = Keeper()
    with keeping(keeper):
        keeper.watch(lambda _: None)(TRAINING)
        _interrupt()
        with pytest.raises(KeyboardInterrupt):
            _interrupt()


def test_before_training_there_is_nothing_to_keep() -> None:
    """While photos are read, a signal stops the run as it does without the option."""
    keeper = Keeper()
    with keeping(keeper):
        keeper.watch(lambda _: None)(Progress("reading", 1, 2))
        with pytest.raises(KeyboardInterrupt):
            _interrupt()


def test_before_the_end_of_an_epoch_there_is_nothing_to_keep() -> None:
    """From random weights: the run stops, and the handlers are those of before."""
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), keeping(Keeper()):
        raise EnoughError
    assert before is signal.getsignal(signal.SIGINT)
