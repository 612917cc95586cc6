"""Classifies one picture at a time in a worker process with bounded memory and time.

`seefood predict` classifies its pictures this way. The batch job does so with pictures that were in
flight when a worker process died.
"""

import signal
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Final

from seefood.classification import Model, failed_row
from seefood.errors import ErrorCode, JobError, PictureError, StopError
from seefood.imaging.limits import MIB
from seefood.records import ImageRef, Row
from seefood.runs.progress import STOPPED
from seefood.workers.protocol import ClassifyRequest, WorkerConfig
from seefood.workers.subprocess_client import WorkerProcess, describe_end

_POLL_SECONDS: Final = 0.25
_SPARE_BYTES: Final = 256 * MIB
# A process that dies before it decodes anything does not die of the picture.
_MAX_IDLE_DEATHS: Final = 3


class IsolatedWorker:
    """A worker process that has one picture at a time. Any thread may call its methods."""

    def __init__(self, config: WorkerConfig, command: Sequence[str] | None = None) -> None:
        """Start nothing yet; see `begin`."""
        memory_bytes = config.options.limits.max_decode_bytes + _SPARE_BYTES
        self._config = replace(config, threads=1, memory_bytes=memory_bytes)
        self._command = command
        self._process: WorkerProcess | None = None
        self._received: SimpleQueue[Row | StopError | tuple[WorkerProcess, int]] = SimpleQueue()
        self._lock = threading.Lock()
        self._process_lock = threading.Lock()
        self._is_closed = False

    def begin(self) -> None:
        """Start the process, so that it loads the model while the caller does something else."""
        self._running_process()

    @property
    def engine_name(self) -> str:
        """The `engine` column of its rows. Waits for the process. Raises `StopError`."""
        return self._running_process().wait_ready()

    def classify_one(self, ref: ImageRef, model: Model, data: bytes | None = None) -> Row:
        """Return the row of one picture, fetched from `ref` unless `data` is given.

        `model` is the model of the process. Raises `StopError` if no process can be started, if
        processes die before they decode the picture, or once the worker is closed.
        """
        with self._lock:
            for _ in range(_MAX_IDLE_DEATHS):
                process = self._running_process()
                engine = process.wait_ready()
                process.request(0, [ClassifyRequest(0, ref, data)])
                outcome = self._wait(process)
                if isinstance(outcome, Row):
                    return outcome
                if isinstance(outcome, StopError):
                    raise outcome
                self._forget()
                if isinstance(outcome, PictureError):
                    return failed_row(ref, outcome, engine, model)
            raise JobError(
                f"worker processes end before they decode {ref.uri}; is there enough memory? Run "
                "it again with --verbose"
            )

    def kill(self) -> None:
        """Kill the process."""
        if (process := self._process) is not None:
            process.kill()

    def close(self) -> None:
        """End the process and wait for it; no other is started."""
        with self._process_lock:
            self._is_closed = True
            process = self._process
        if process is not None:
            process.close()

    def on_row(self, number: int, index: int, row: Row) -> None:
        """See `subprocess_client.Listener`."""
        del number, index
        self._received.put(row)

    def on_failed(self, number: int, error: StopError) -> None:
        """See `subprocess_client.Listener`."""
        del number
        self._received.put(error)

    def on_end(self, process: WorkerProcess, status: int) -> None:
        """See `subprocess_client.Listener`."""
        self._received.put((process, status))

    def _running_process(self) -> WorkerProcess:
        """Return the process, a new one if it died. Raises `JobError` once the worker is closed."""
        with self._process_lock:
            if self._is_closed:
                raise JobError(STOPPED)
            if self._process is None:
                self._received = SimpleQueue()
                self._process = WorkerProcess(self._config, self, self._command)
            return self._process

    def _forget(self) -> None:
        """Forget the process, which died. Raises `JobError` if `close` ended it."""
        with self._process_lock:
            if self._is_closed:
                raise JobError(STOPPED)
            self._process = None

    def _wait(self, process: WorkerProcess) -> Row | StopError | PictureError | None:
        """Return the picture's row or error; None if the process died before it began."""
        limit = self._config.options.limits.max_seconds
        overdue = False
        while True:
            with suppress(Empty):
                received = self._received.get(timeout=_POLL_SECONDS)
                if not isinstance(received, tuple):
                    return received
                ended, status = received
                if ended is not process:
                    continue
                if overdue:
                    message = f"it took longer than the limit of {limit:g} seconds, alone"
                    return PictureError(ErrorCode.TIMEOUT, message)
                return _error_of_death(status) if process.in_flight() else None
            if process.is_overdue(limit):
                overdue = True
                process.kill()


def _error_of_death(status: int) -> PictureError:
    """Return the error of a picture whose process died with `status`."""
    if status == -signal.SIGKILL:  # not from this process, so from the kernel
        return PictureError(ErrorCode.OUT_OF_MEMORY, "the system killed the process decoding it")
    return PictureError(
        ErrorCode.DECODER_CRASH,
        "the decoder or the engine ended its process, which had no other picture "
        f"({describe_end(status)})",
    )
