"""A worker in a process of its own, as the process that started it sees it.

seefood.workers.subprocess_main     the program
seefood.workers.spawn           starting it
seefood.workers.subprocess_client  one such process: sending, receiving, how it ends   (this module)
seefood.workers.supervisor     what to do when one dies
"""

import contextlib
import json
import signal
import subprocess
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from typing import IO, Final, Protocol

from seefood.errors import JobError, StopError
from seefood.records import Row
from seefood.workers.in_flight import InFlight
from seefood.workers.protocol import (
    ClassifyRequest,
    WorkerConfig,
    encode,
    pack_asked,
    unpack_error,
    unpack_row,
)
from seefood.workers.spawn import spawn

_CLOSE_SECONDS: Final = 5.0


class Listener(Protocol):
    """Who hears what a worker process says; called on a thread of the process's own."""

    def on_row(self, number: int, index: int, row: Row) -> None:
        """Take the row of one picture."""

    def on_failed(self, number: int, error: StopError) -> None:
        """Take note that a chunk cannot be finished."""

    def on_end(self, process: "WorkerProcess", status: int) -> None:
        """Take note that the process has ended; `status` is negative for a signal."""


class WorkerProcess:
    """One process. It starts at once and gets ready while the caller does something else."""

    def __init__(
        self, start: WorkerConfig, listener: Listener, command: Sequence[str] | None = None
    ) -> None:
        """Start it. `command` is the program, by default seefood's own."""
        self._listener = listener
        self._sending = threading.Lock()
        self._ready: Future[str] = Future()
        spawned = spawn(start.threads, command)
        self._notes, self._process = spawned.notes, spawned.process
        self._send(start.as_json())
        threading.Thread(target=self._listen, name="worker-process", daemon=True).start()

    def wait_ready(self) -> str:
        """Wait until the model is loaded and return the engine's name. Raises `StopError`."""
        return self._ready.result()

    def ask(self, number: int, pictures: Iterable[ClassifyRequest]) -> None:
        """Ask for the rows of a chunk; if the process dies meanwhile, its listener is told."""
        self._send([number, [pack_asked(picture) for picture in pictures]])

    def in_flight(self) -> list[InFlight]:
        """Return which pictures it decodes now, or did when it died."""
        return self._notes.in_flight()

    def is_overdue(self, seconds: float) -> bool:
        """Whether a thread has its pictures for longer than `seconds` each."""
        return any(note.seconds > seconds * max(1, len(note.pictures)) for note in self.in_flight())

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def close(self) -> None:
        """Let it end, and wait for that: what it used then counts as this process's children's."""
        with self._sending, contextlib.suppress(OSError):
            _pipe(self._process.stdin).close()
        try:
            self._process.wait(_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _send(self, message: object) -> None:
        with self._sending, contextlib.suppress(OSError, ValueError):  # dead, or closed: see on_end
            pipe = _pipe(self._process.stdin)
            pipe.write(encode(message))
            pipe.flush()

    def _listen(self) -> None:
        for line in _pipe(self._process.stdout):
            try:
                self._hear(json.loads(line))
            except (ValueError, TypeError, LookupError, OverflowError):  # cut off, or none of ours
                break
        self._process.kill()
        status = self._process.wait()
        if not self._ready.done():
            text = f"a worker process ended before it was ready (status {status}); run it again"
            self._ready.set_exception(JobError(f"{text} with --verbose for what it printed"))
        self._listener.on_end(self, status)

    def _hear(self, message: list[object]) -> None:
        match message:
            case ["row", int(number), int(index), list(values)]:
                self._listener.on_row(number, index, unpack_row(values))
            case ["failed", int(number), list(values)]:
                self._listener.on_failed(number, unpack_error(values))
            case ["ready", str(engine)]:
                self._ready.set_result(engine)
            case ["refused", list(values)]:
                self._ready.set_exception(unpack_error(values))
            case _:
                raise ValueError(message)


def end_of(status: int) -> str:
    """Return how a process ended: `SIGSEGV`, or `exit code 3`."""
    if status >= 0:
        return f"exit code {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # noqa: S101 (both were asked for)
    return stream
