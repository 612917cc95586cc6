"""Runs a worker process and replaces it when it dies: a bad picture fails only its own row.

A worker process may die, because a decoder crashed or the system ran out of memory, or hang on a
picture. It is then replaced. Rows that it had sent are kept, and only the pictures that were in
flight are suspects: each of them is classified again, alone, in a second process with bounded
memory. A picture of which that process dies or hangs too gets a row with an error code.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Final

from seefood.classification import Model
from seefood.errors import JobError, StopError
from seefood.records import ImageRef, Row
from seefood.runs.progress import STOPPED, ProgressCounters
from seefood.workers.isolated import IsolatedWorker
from seefood.workers.pending import PendingChunk
from seefood.workers.protocol import ClassifyRequest, WorkerConfig
from seefood.workers.subprocess_client import WorkerProcess, describe_end

if TYPE_CHECKING:
    from seefood.workers.in_flight import Picture

_log = logging.getLogger(__name__)

_POLL_SECONDS: Final = 0.25
# A worker process that dies repeatedly with no picture in flight does not die of a picture.
_MAX_IDLE_DEATHS: Final = 3
# After so many deaths the rest of a chunk is classified picture by picture.
_MAX_CHUNK_DEATHS: Final = 3


class SupervisedWorker:
    """Classifies chunks in a worker process. Several threads may call `classify` at once."""

    def __init__(
        self,
        config: WorkerConfig,
        model: Model,
        *,
        counters: ProgressCounters | None = None,
        command: Sequence[str] | None = None,
    ) -> None:
        """Start the process.

        Each finished picture is counted in `counters`, which also stop the worker. `command` is the
        worker program, by default seefood's own.
        """
        self._config = config
        self._counters = counters or ProgressCounters()
        self._command = command
        self.model = model
        """The model of its rows."""
        self._isolated = IsolatedWorker(config, command)
        self._chunks: dict[int, PendingChunk] = {}
        self._numbers = count()
        self._lock = threading.RLock()
        self._idle_deaths = 0
        self._closed = threading.Event()
        self._isolating: set[Picture] = set()
        self._process: WorkerProcess | None = None
        self._running_process()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    @property
    def engine_name(self) -> str:
        """The `engine` column of its rows. Waits for the process. Raises `StopError`."""
        return self._running_process().wait_ready()

    @property
    def device(self) -> str:
        """What the engine computes on, as people are shown it. Waits. Raises `StopError`."""
        return self._running_process().wait_device()

    def classify(
        self, refs: Sequence[ImageRef], contents: Sequence[bytes | None] = ()
    ) -> list[Row]:
        """Return one row for each of `refs`, in order; a picture that fails has a row too.

        `contents` are their bytes, None for one that the worker process fetches; without it, it
        fetches all. Raises `JobError` once the counters are out of time, once the worker is closed,
        or if worker processes die repeatedly without having begun a picture.
        """
        return self.start(refs, contents)()

    def start(
        self, refs: Sequence[ImageRef], contents: Sequence[bytes | None] = ()
    ) -> Callable[[], list[Row]]:
        """Begin what `classify` does; return the function that waits for the rows."""
        chunk = PendingChunk(refs, contents)
        if not refs:
            return chunk.wait
        with self._lock:
            process = self._running_process()
            number = next(self._numbers)
            self._chunks[number] = chunk
        process.request(number, chunk.requests())
        return chunk.wait

    def close(self) -> None:
        """End the processes and wait for them; chunks in flight fail."""
        self._closed.set()
        with self._lock:
            process, self._process = self._process, None
            for chunk in list(self._chunks.values()):
                chunk.fail(JobError(STOPPED))
        if process is not None:
            process.close()
        self._isolated.close()

    def on_row(self, number: int, index: int, row: Row) -> None:
        """See `subprocess_client.Listener`."""
        chunk = self._chunks.get(number)
        if chunk is not None and chunk.put(index, row):
            self._counters.count_row(row)
            self._idle_deaths = 0
            if chunk.is_complete:
                self._chunks.pop(number, None)

    def on_failed(self, number: int, error: StopError) -> None:
        """See `subprocess_client.Listener`."""
        chunk = self._chunks.pop(number, None)
        if chunk is not None:
            chunk.fail(error)

    def on_end(self, process: WorkerProcess, status: int) -> None:
        """Replace the process and classify the suspects alone."""
        with self._lock:
            if process is not self._process:
                return
            self._process = None
            if self._closed.is_set() or self._counters.out_of_time:
                return
            chunks = dict(self._chunks)
        try:
            process.wait_ready()
            if chunks:
                self._recover(process, status, chunks)
        except StopError as error:
            for number in chunks:
                self.on_failed(number, error)

    def _running_process(self) -> WorkerProcess:
        """Return the process, a new one if it died. Raises `JobError` once the worker is closed."""
        with self._lock:
            if self._closed.is_set():
                raise JobError(STOPPED)
            if self._process is None:
                self._process = WorkerProcess(self._config, self, self._command)
            return self._process

    def _recover(self, dead: WorkerProcess, status: int, chunks: dict[int, PendingChunk]) -> None:
        """Request from a new process what `dead` did not finish; isolate the suspects."""
        in_flight = {picture for entry in dead.in_flight() for picture in entry.pictures}
        suspects = {(number, index) for number, index in in_flight if number in chunks}
        _log.warning(
            "a worker process ended (%s) with %d pictures in flight; they are classified again "
            "one by one",
            describe_end(status),
            len(suspects),
        )
        self._idle_deaths += 1
        if not suspects and self._idle_deaths > _MAX_IDLE_DEATHS:
            raise JobError(
                f"worker processes end again and again ({describe_end(status)}) before they decode "
                "anything; is there enough memory? Run it again with --verbose"
            )
        isolated: list[tuple[int, ClassifyRequest]] = []
        process = self._running_process()
        for number, chunk in chunks.items():
            chunk.deaths += any(number == suspect for suspect, _ in suspects)
            isolate_all = chunk.deaths > _MAX_CHUNK_DEATHS
            remaining = []
            for request in chunk.requests():
                picture = (number, request.index)
                if picture in self._isolating:
                    continue  # since an earlier death
                if isolate_all or picture in suspects:
                    self._isolating.add(picture)
                    isolated.append((number, request))
                else:
                    remaining.append(request)
            if remaining:
                process.request(number, remaining)
        for number, request in isolated:
            row = self._isolated.classify_one(request.ref, self.model, request.data)
            self.on_row(number, request.index, row)
            self._isolating.discard((number, request.index))

    def _watch(self) -> None:
        """Kill a process that hangs; kill all, and fail all chunks, once time is over."""
        limit = self._config.options.limits.max_seconds
        while not self._closed.wait(_POLL_SECONDS):
            process = self._process
            if process is not None and process.is_overdue(limit):
                process.kill()
            if self._counters.out_of_time:
                for chunk in list(self._chunks.values()):
                    chunk.fail(JobError(STOPPED))
                if process is not None:
                    process.kill()
                self._isolated.kill()
