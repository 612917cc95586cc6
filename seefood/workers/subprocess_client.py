"""One worker process, as the process that started it sees it."""

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
from seefood.storage import request_counts
from seefood.workers.in_flight import InFlight
from seefood.workers.protocol import ClassifyRequest, WorkerConfig, decode, decode_error, encode
from seefood.workers.spawn import spawn

_CLOSE_SECONDS: Final = 5.0


class Listener(Protocol):
    """Receives what a worker process sends, on a thread of the `WorkerProcess`."""

    def on_row(self, number: int, index: int, row: Row) -> None:
        """Handle the row of one picture of the chunk `number`."""

    def on_failed(self, number: int, error: StopError) -> None:
        """Handle a chunk that cannot be finished."""

    def on_end(self, process: "WorkerProcess", status: int) -> None:
        """Handle the end of the process; `status` is negative for a signal."""


class WorkerProcess:
    """A worker process. Creating it returns at once; the model loads meanwhile."""

    def __init__(
        self, config: WorkerConfig, listener: Listener, command: Sequence[str] | None = None
    ) -> None:
        """Start the process. `command` is the program, by default seefood's own."""
        self._listener = listener
        self._send_lock = threading.Lock()
        self._ready: Future[str] = Future()
        self._device = ""
        spawned = spawn(config.threads, command)
        self._in_flight, self._process = spawned.in_flight, spawned.process
        self._send(config)
        threading.Thread(target=self._receive, name="worker-process", daemon=True).start()

    def wait_ready(self) -> str:
        """Wait until the model is loaded and return the engine's name. Raises `StopError`."""
        return self._ready.result()

    def wait_device(self) -> str:
        """Wait likewise and return what the engine computes on, for people. Raises `StopError`."""
        self._ready.result()
        return self._device

    def request(self, number: int, requests: Iterable[ClassifyRequest]) -> None:
        """Request rows of the chunk `number`. If the process has died, `on_end` reports it."""
        self._send([number, list(requests)])

    def in_flight(self) -> list[InFlight]:
        """Return what it is decoding now, or was when it died."""
        return self._in_flight.read()

    def is_overdue(self, seconds: float) -> bool:
        """Whether a thread has worked for longer than `seconds` for each of its pictures."""
        return any(
            entry.seconds > seconds * max(1, len(entry.pictures)) for entry in self.in_flight()
        )

    def kill(self) -> None:
        """Kill the process."""
        self._process.kill()

    def close(self) -> None:
        """End the process and wait for it, so that its CPU time counts as a child's."""
        with self._send_lock, contextlib.suppress(OSError):
            _pipe(self._process.stdin).close()
        try:
            self._process.wait(_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _send(self, message: object) -> None:
        line = encode(message)
        # A process that has died, or was closed, is reported by `on_end`.
        with self._send_lock, contextlib.suppress(OSError, ValueError):
            pipe = _pipe(self._process.stdin)
            pipe.write(line)
            pipe.flush()

    def _receive(self) -> None:
        for line in _pipe(self._process.stdout):
            try:
                self._handle(json.loads(line))
            except (ValueError, TypeError, LookupError, OverflowError):  # cut off, or not ours
                break
        self._process.kill()
        status = self._process.wait()
        if not self._ready.done():
            text = f"a worker process ended before it was ready (status {status}); run it again"
            self._ready.set_exception(JobError(f"{text} with --verbose for what it printed"))
        self._listener.on_end(self, status)

    def _handle(self, message: list[object]) -> None:
        match message:
            case ["row", int(number), int(index), list(values)]:
                self._listener.on_row(number, index, decode(Row, values))
            case ["failed", int(number), list(values)]:
                self._listener.on_failed(number, decode_error(values))
            case ["requests", dict(counts)]:
                request_counts.add(counts)
            case ["ready", str(engine), str(device)]:
                self._device = device
                self._ready.set_result(engine)
            case ["refused", list(values)]:
                self._ready.set_exception(decode_error(values))
            case _:
                raise ValueError(message)


def describe_end(status: int) -> str:
    """Return how a process ended: `SIGSEGV`, or `exit code 3`."""
    if status >= 0:
        return f"exit code {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # noqa: S101 (both pipes are requested)
    return stream
