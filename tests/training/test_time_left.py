"""The time that a stage will still take."""

import pytest

from seefood_training.time_left import TimeLeft, duration_text


def test_time_left() -> None:
    """It follows from the pace after the first step, which also compiles."""
    clock = TimeLeft()

    assert clock.after(1, 10, now=60.0) is None
    assert 16.0 == clock.after(2, 10, now=62.0)
    assert 0.0 == clock.after(10, 10, now=78.0)


def test_a_run_that_continues() -> None:
    """Steps of an earlier process do not count as fast ones."""
    clock = TimeLeft()
    clock.after(501, 1000, now=0.0)

    assert 996.0 == clock.after(502, 1000, now=2.0)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.2, "1 s"), (59, "59 s"), (61, "2 min"), (3600, "1 h 0 min"), (7500, "2 h 5 min")],
)
def test_duration(seconds: float, expected: str) -> None:
    """Durations are rounded up to seconds, then minutes."""
    assert expected == duration_text(seconds)


def test_a_second_run_is_timed_by_itself() -> None:
    """Its steps begin at 1 again; what the first run took does not count."""
    left = TimeLeft()
    assert (None, 18.0) == (left.after(1, 10, 0.0), left.after(4, 10, 9.0))
    assert (None, 24.0) == (left.after(1, 10, 500.0), left.after(2, 10, 503.0))
