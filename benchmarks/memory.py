"""How much memory a command and the processes that it starts hold while they run."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import psutil

_POLL_SECONDS: Final = 0.2
_LEAVE_SECONDS: Final = 10.0
_MB: Final = 1024 * 1024


@dataclass(slots=True)
class Peak:
    """The most that was seen, and whether anything was left behind."""

    launcher_mb: int = 0
    workers_mb: int = 0
    """Of all children together."""
    left: int = 0
    """Children that were there ten seconds after the command had ended."""


@contextmanager
def watched(pid: int) -> Iterator[Peak]:
    """Watch the process `pid` and its children until the block ends."""
    peak, stop, seen = Peak(), threading.Event(), set[psutil.Process]()
    thread = threading.Thread(target=_watch, args=(pid, peak, stop, seen), daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()
        _, alive = psutil.wait_procs(seen, timeout=_LEAVE_SECONDS)
        peak.left = sum(process.is_running() for process in alive)


def _watch(pid: int, peak: Peak, stop: threading.Event, seen: set[psutil.Process]) -> None:
    with suppress(psutil.NoSuchProcess):
        launcher = psutil.Process(pid)
        while not stop.wait(_POLL_SECONDS):
            children = launcher.children(recursive=True)
            seen.update(children)
            peak.launcher_mb = max(peak.launcher_mb, launcher.memory_info().rss // _MB)
            held = 0
            for child in children:
                with suppress(psutil.NoSuchProcess):
                    held += child.memory_info().rss
            peak.workers_mb = max(peak.workers_mb, held // _MB)
