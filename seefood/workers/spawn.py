"""Starts worker programs, also ahead of time: imports take most of a worker's start.

The command line starts one before it imports its own modules, and the first `spawn` returns that
one. The program waits for its `WorkerConfig` on stdin and ends when stdin is closed.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Final

from seefood.imaging.limits import MIB
from seefood.import_path import search_path
from seefood.workers.in_flight import InFlightTable, in_flight_file

_ENVIRONMENT: Final = {
    # Otherwise glibc raises both after the first large picture and keeps freed memory.
    "MALLOC_MMAP_THRESHOLD_": str(8 * MIB),
    "MALLOC_TRIM_THRESHOLD_": str(16 * MIB),
    # NumPy multiplies no matrices here, and its threads take a tenth of a second to start.
    "OPENBLAS_NUM_THREADS": "1",
}


@dataclass(frozen=True, slots=True)
class Spawned:
    """A program that was started, and the table that it writes."""

    process: "subprocess.Popen[bytes]"
    in_flight: InFlightTable
    command: tuple[str, ...]
    threads: int
    environment: Mapping[str, str] = field(repr=False)
    """With other settings of stores and credentials it is another program."""


_ahead: Final[SimpleQueue[Spawned]] = SimpleQueue()


def worker_command() -> tuple[str, ...]:
    """Return the command of the worker program, which imports nothing from the working folder."""
    return sys.executable, "-P", "-m", "seefood.workers.subprocess_main"


def spawn_ahead(threads: int) -> None:
    """Start a worker program that the next `spawn` for as many threads returns."""
    _ahead.put(_start(worker_command(), threads))


def spawn(threads: int, command: Sequence[str] | None = None) -> Spawned:
    """Start `command`, by default the worker program; or return the one that was started ahead."""
    expected = tuple(command or worker_command())
    try:
        spare = _ahead.get_nowait()
    except Empty:
        return _start(expected, threads)
    wanted = (expected, threads, _environment())
    if (spare.command, spare.threads, spare.environment) == wanted:
        return spare
    spare.process.kill()
    spare.process.wait()
    return _start(expected, threads)


def _environment() -> Mapping[str, str]:
    return {**_ENVIRONMENT, **os.environ, "PYTHONPATH": search_path()}


def _start(command: tuple[str, ...], threads: int) -> Spawned:
    environment = _environment()
    with in_flight_file(threads) as file:
        in_flight = InFlightTable(file.fileno(), threads)
        process = subprocess.Popen(  # noqa: S603 (our own program)
            [*command, str(file.fileno())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(file.fileno(),),
            env=environment,
            start_new_session=True,  # Ctrl-C must reach the launcher only
        )
    return Spawned(process, in_flight, command, threads, environment)
