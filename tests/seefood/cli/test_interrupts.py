"""Signals end every command with the same codes, and tell how to go on."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("number", "code", "log"),
    [(signal.SIGINT, 130, "text"), (signal.SIGTERM, 143, "text"), (signal.SIGTERM, 143, "json")],
)
def test_a_signal_ends_a_command(number: int, code: int, log: str) -> None:
    """The code is 128 + the signal's number; one line says how to go on."""
    run = subprocess.Popen(
        [sys.executable, "-m", "seefood", "predict", "-", "--log", log],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # Its worker process runs once the command waits for its standard input.
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children")
    while not children.read_text().strip():
        assert run.poll() is None
    run.send_signal(number)
    out, error = run.communicate(timeout=60)
    message = "stopped; run the same command again to go on"
    assert (code, "") == (run.returncode, out)
    if log == "text":
        assert f"seefood: {message}" == error.strip()
    else:
        (line,) = map(json.loads, error.splitlines())
        assert {"level": "error", "message": message, "exit_code": code} == {
            name: line[name] for name in ("level", "message", "exit_code")
        }
