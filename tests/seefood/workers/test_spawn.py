import sys

import pytest

from seefood.workers.spawn import spawn, spawn_ahead

SLEEPER = (sys.executable, "-c", "import sys; sys.stdin.read()")


def test_a_program_started_ahead_is_used_once() -> None:
    """The first `spawn` returns the program that waits, the second a new one."""
    spawn_ahead(2)
    first, second = spawn(2), spawn(2)
    try:
        assert (2, 2) == (first.threads, second.threads)
        assert first.process.pid != second.process.pid
        assert first.command == second.command
    finally:
        for each in (first, second):
            each.process.kill()
            each.process.communicate()


def test_a_program_that_does_not_match_is_ended() -> None:
    """For another program or another number of threads, a new one is started."""
    spawn_ahead(2)
    taken = spawn(1, SLEEPER)
    try:
        assert (SLEEPER, 1) == (taken.command, taken.threads)
    finally:
        taken.process.kill()
        taken.process.communicate()


def test_a_program_with_other_settings_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that a failed command left reads another store, so the next command starts its own."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    spawn_ahead(1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:2")
    taken = spawn(1)
    try:
        assert "http://127.0.0.1:2" == taken.environment["AWS_ENDPOINT_URL"]
    finally:
        taken.process.kill()
        taken.process.communicate()


def test_an_unused_program_ends_with_its_stdin() -> None:
    """It prints nothing and ends with exit code 0."""
    spawn_ahead(1)
    spare = spawn(1)
    printed, _ = spare.process.communicate(timeout=60)
    assert (0, b"") == (spare.process.returncode, printed)
