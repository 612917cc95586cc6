"""Measures the memory of a command and of the processes that it starts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import psutil

_POLL_SECONDS: Final = 0.2
_EXIT_SECONDS: Final = 10.0
_MB: Final = 1024 * 1024


@dataclass(slots=True)
class PeakMemory:
    """The highest memory seen, and the children that outlived the command."""

    launcher_mb: int = 0
    workers_mb: int = 0
    """All children together."""
    left: int = 0
    """Children that still run ten seconds after the command has ended."""


@contextmanager
def track_peak_memory(pid: int) -> Iterator[PeakMemory]:
    """Sample the memory of process `pid` and its children until the block ends."""
    peak, stop, seen = PeakMemory(), threading.Event(), set[psutil.Process]()
    thread = threading.Thread(target=_sample, args=(pid, peak, stop, seen), daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()
        _, alive = psutil.wait_procs(seen, timeout=_EXIT_SECONDS)
        peak.left = sum(process.is_running() for process in alive)


def _sample(pid: int, peak: PeakMemory, stop: threading.Event, seen: set[psutil.Process]) -> None:
    with suppress(psutil.NoSuchProcess):
        launcher = psutil.Process(pid)
        while not stop.wait(_POLL_SECONDS):
            children = launcher.children(recursive=True)
            seen.update(children)
            peak.launcher_mb = max(peak.launcher_mb, launcher.memory_info().rss // _MB)
            total_bytes = 0
            for child in children:
                with suppress(psutil.NoSuchProcess):
                    total_bytes += child.memory_info().rss
            peak.workers_mb = max(peak.workers_mb, total_bytes // _MB)
