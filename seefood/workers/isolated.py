"""One picture at a time in a process of its own, with bounded memory and time: the last resort.

`seefood predict` takes its few pictures this way at once; a bulk job those that a worker died of.
"""

import signal
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Final

from seefood.classify import Model, failed_row
from seefood.errors import ErrorCode, JobError, PictureError, StopError
from seefood.imaging.limits import MIB
from seefood.records import ImageRef, Row
from seefood.workers.protocol import ClassifyRequest, WorkerConfig
from seefood.workers.subprocess_client import WorkerProcess, end_of

_POLL_SECONDS: Final = 0.25
_SPARE_BYTES: Final = 256 * MIB
# A process that dies before it decodes anything is no picture's fault.
_MAX_BLANK_DEATHS: Final = 3


class IsolatedWorker:
    """Classifies one picture at a time in a process with bounded memory; any thread may ask."""

    def __init__(self, start: WorkerConfig, command: Sequence[str] | None = None) -> None:
        """Nothing is started before it is needed; see `begin`."""
        room = start.settings.limits.max_decode_bytes + _SPARE_BYTES
        self._start = replace(start, threads=1, memory_bytes=room)
        self._command = command
        self._process: WorkerProcess | None = None
        self._heard: SimpleQueue[Row | StopError | tuple[WorkerProcess, int]] = SimpleQueue()
        self._one = threading.Lock()

    def begin(self) -> None:
        """Start the process, so that it gets ready while the caller does something else."""
        self._running()

    @property
    def engine_name(self) -> str:
        """What rows state in their `engine` column. Waits for the process. Raises `StopError`."""
        return self._running().wait_ready()

    def classify_one(self, ref: ImageRef, model: Model, data: bytes | None = None) -> Row:
        """Return the row of one picture, read from `ref` unless `data` is given.

        `model` is what the process runs.

        Raises `StopError` if no process can be started, or it dies for no picture's fault.
        """
        with self._one:
            for _ in range(_MAX_BLANK_DEATHS):
                process = self._running()
                engine = process.wait_ready()
                process.ask(0, [ClassifyRequest(0, ref, data)])
                answer = self._answer(process)
                if isinstance(answer, Row):
                    return answer
                if isinstance(answer, StopError):
                    raise answer
                self._process = None
                if isinstance(answer, PictureError):
                    return failed_row(ref, answer, engine, model)
            raise JobError(
                f"worker processes end before they decode {ref.uri}; is there enough memory? Run "
                "it again with --verbose"
            )

    def kill(self) -> None:
        """End the process at once."""
        if (process := self._process) is not None:
            process.kill()

    def close(self) -> None:
        """End the process and wait for it."""
        if (process := self._process) is not None:
            process.close()

    def on_row(self, number: int, index: int, row: Row) -> None:
        """See `worker_process.Listener`."""
        del number, index
        self._heard.put(row)

    def on_failed(self, number: int, error: StopError) -> None:
        """See `worker_process.Listener`."""
        del number
        self._heard.put(error)

    def on_end(self, process: WorkerProcess, status: int) -> None:
        """See `worker_process.Listener`."""
        self._heard.put((process, status))

    def _running(self) -> WorkerProcess:
        if self._process is None:
            self._heard = SimpleQueue()
            self._process = WorkerProcess(self._start, self, self._command)
        return self._process

    def _answer(self, process: WorkerProcess) -> Row | StopError | PictureError | None:
        """Wait for what becomes of the picture; None if the process died without touching it."""
        limit = self._start.settings.limits.max_seconds
        overdue = False
        while True:
            with suppress(Empty):
                heard = self._heard.get(timeout=_POLL_SECONDS)
                if not isinstance(heard, tuple):
                    return heard
                ended, status = heard
                if ended is not process:
                    continue
                if overdue:
                    message = f"it took longer than the limit of {limit:g} seconds, alone"
                    return PictureError(ErrorCode.TIMEOUT, message)
                return _verdict(status) if process.in_flight() else None
            if process.is_overdue(limit):
                overdue = True
                process.kill()


def _verdict(status: int) -> PictureError:
    """Return what the death of a process that had one picture in its hands says of it."""
    if status == -signal.SIGKILL:  # nobody here sent it: so the system did
        return PictureError(ErrorCode.OUT_OF_MEMORY, "the system killed the process decoding it")
    return PictureError(
        ErrorCode.DECODER_CRASH,
        f"the decoder or the engine ended its process, which held nothing else ({end_of(status)})",
    )
