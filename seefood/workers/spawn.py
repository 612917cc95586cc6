"""Starting worker programs, also ahead of time: Python's imports take most of a worker's start.

The command line starts one before it has read its own modules, and whoever needs the first worker
takes that. It waits for its `WorkerConfig` on stdin and ends when stdin does.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from seefood.imaging.limits import MIB
from seefood.workers.in_flight import InFlightTable, in_flight_file

_ENVIRONMENT: Final = {
    # glibc would learn from the first large picture to keep the memory of all later ones.
    "MALLOC_MMAP_THRESHOLD_": str(8 * MIB),
    "MALLOC_TRIM_THRESHOLD_": str(16 * MIB),
    # Nothing here multiplies matrices in NumPy, whose threads take a tenth of a second to start.
    "OPENBLAS_NUM_THREADS": "1",
}


@dataclass(frozen=True, slots=True)
class Spawned:
    """A program that was started, and the notes that it takes."""

    process: "subprocess.Popen[bytes]"
    notes: InFlightTable
    command: tuple[str, ...]
    threads: int


_ahead: Final[SimpleQueue[Spawned]] = SimpleQueue()


def worker_command() -> tuple[str, ...]:
    """Return the command of the worker program: this Python, and nothing of the working folder."""
    return sys.executable, "-P", "-m", "seefood.workers.subprocess_main"


def spawn_ahead(threads: int) -> None:
    """Start a worker program that the next `spawn` for as many threads returns."""
    _ahead.put(_start(worker_command(), threads))


def spawn(threads: int, command: Sequence[str] | None = None) -> Spawned:
    """Start `command`, by default the worker program; or return the one that was started ahead."""
    due = tuple(command or worker_command())
    try:
        spare = _ahead.get_nowait()
    except Empty:
        return _start(due, threads)
    if (spare.command, spare.threads) == (due, threads):
        return spare
    spare.process.kill()
    spare.process.wait()
    return _start(due, threads)


def _start(command: tuple[str, ...], threads: int) -> Spawned:
    with in_flight_file(threads) as file:
        notes = InFlightTable(file.fileno(), threads)
        process = subprocess.Popen(  # noqa: S603 (our own program)
            [*command, str(file.fileno())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(file.fileno(),),
            env={**_ENVIRONMENT, **os.environ, "PYTHONPATH": _search_path()},
            start_new_session=True,  # Ctrl-C is for the process that the user started
        )
    return Spawned(process, notes, command, threads)


def _search_path() -> str:
    """Return where the process finds this very seefood, and what this one was told to look at."""
    own = str(Path(__file__).parents[2])
    return os.pathsep.join(filter(None, (own, os.environ.get("PYTHONPATH"))))
