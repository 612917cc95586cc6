"""Estimates how long a stage will still take."""

import time


class TimeLeft:
    """Seconds left, from the pace of this process; what an earlier run did is not counted.

    The first step is not counted either: it compiles the graph.
    """

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None
        self._done = 0

    def after(self, done: int, total: int, now: float | None = None) -> float | None:
        """Return the seconds that `total - done` steps will take; None before the second step."""
        now = time.monotonic() if now is None else now
        if self._first is None or done < self._done:  # a new run compiles its graph again
            self._first = done, now
        self._done = done
        start, started = self._first
        if done <= start:
            return None
        return (now - started) / (done - start) * (total - done)


def duration_text(seconds: float) -> str:
    """Return a duration as `40 s`, `3 min` or `2 h 5 min`, rounded up."""
    whole = int(-(-seconds // 1))
    if whole < 60:
        return f"{whole} s"
    minutes = -(-whole // 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
