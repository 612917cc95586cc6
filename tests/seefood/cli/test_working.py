"""The sign of life of commands that count nothing."""

import os
import subprocess
import sys

_PROGRAM = """
import sys
from seefood.cli.working import working

with working("listing") as tell:
    tell("classifying")
    print("data")
    print("a note", file=sys.stderr)
"""


def _run(stderr: int, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        stdout=subprocess.PIPE,
        stderr=stderr,
        env={**os.environ, **environment},
        text=True,
        check=True,
    )
    return done.stdout


def test_a_terminal_shows_it_and_stdout_has_the_data_alone() -> None:
    """The spinner is on stderr, and goes when the block ends."""
    ours, theirs = os.openpty()
    assert "data\n" == _run(theirs, TERM="xterm", COLUMNS="80")
    shown = os.read(ours, 65536).decode()
    assert "listing" in shown
    assert "a note" in shown
    assert "\x1b[2K" in shown


def test_a_log_and_a_dumb_terminal_get_nothing() -> None:
    """Only what the block itself prints."""
    for environment in ({"TERM": "dumb"}, {}):
        ours, theirs = os.openpty() if environment else os.pipe()
        _run(theirs, **environment)
        assert "a note" == os.read(ours, 65536).decode().strip()
