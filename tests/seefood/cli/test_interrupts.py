"""Signals while a command runs."""

import signal
import subprocess
import sys
import threading

import pytest

from seefood.cli.interrupts import exit_code, interruptible


def test_an_import_is_not_interrupted_inside_importlib() -> None:
    """The exception comes as soon as importlib is left, where none is dropped."""
    reached: list[signal.Signals] = []
    source = "signal.raise_signal(signal.SIGTERM); reached.append(signal.SIGTERM)"
    inside = compile(source, "<frozen importlib._bootstrap>", "exec")
    with interruptible():
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012 (the exception arrives in the wait)
            exec(inside, {"signal": signal, "reached": reached})  # noqa: S102 (a constant)
            threading.Event().wait(60)
        assert ([signal.SIGTERM], 128 + signal.SIGTERM) == (reached, exit_code())


_EARLY = """
import os, signal, sys

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
import seefood.__main__
"""


def test_an_interrupt_while_the_program_starts_prints_nothing() -> None:
    """Before the command line is imported, Ctrl-C ends the process by the signal itself."""
    done = subprocess.run([sys.executable, "-c", _EARLY], capture_output=True, check=False)
    assert (-signal.SIGINT, b"") == (done.returncode, done.stderr)
