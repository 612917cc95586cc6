"""Nothing that a picture does to a decoder reaches further than its own row.

Pictures are decoded and classified in a worker process. One that dies (a decoder crashed, the
system ran out of memory) or in which a picture takes too long is replaced, the rows it had sent are
kept, and only the pictures that it had in its hands are suspects: each of them is classified again,
alone, in a second process whose memory is bounded. What dies or hangs there, too, gets a row that
says so.
"""

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Final

from seefood.classify import Model
from seefood.errors import JobError, PictureError, StopError
from seefood.records import ImageRef, Row
from seefood.runs.progress import ProgressCounters
from seefood.storage import fetch
from seefood.workers.isolated import IsolatedWorker
from seefood.workers.protocol import ClassifyRequest, WorkerConfig
from seefood.workers.subprocess_client import WorkerProcess, end_of
from seefood.workers.threaded import STOPPED

if TYPE_CHECKING:
    from seefood.workers.in_flight import Picture

_log = logging.getLogger(__name__)

_POLL_SECONDS: Final = 0.25
# A worker that dies again and again with nothing in its hands is no picture's fault.
_MAX_BLANK_DEATHS: Final = 3
# A chunk that has killed so many workers is taken through alone, picture by picture.
_MAX_CHUNK_DEATHS: Final = 3


@dataclass(slots=True)
class _Pending:
    """A chunk on its way: rows by index, and how many are still missing."""

    refs: Sequence[ImageRef]
    rows: list[Row | None]
    missing: int
    deaths: int = 0
    done: Future[None] = field(default_factory=Future)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, index: int, row: Row) -> bool:
        """Keep the row of one picture; return False if it has one."""
        with self.lock:
            if self.rows[index] is not None:
                return False
            self.rows[index] = row
            self.missing -= 1
            if not self.missing and not self.done.done():
                self.done.set_result(None)
            return True

    def fail(self, error: StopError) -> None:
        with self.lock:
            if not self.done.done():
                self.done.set_exception(error)

    def asked(self) -> list[ClassifyRequest]:
        """Return what has no row yet."""
        with self.lock:
            missing = [at for at, row in enumerate(self.rows) if row is None]
        return [ClassifyRequest(at, self.refs[at], _own_bytes(self.refs[at])) for at in missing]


def _own_bytes(ref: ImageRef) -> bytes | None:
    """Return the bytes of what lies in this process's memory, where no other process can read."""
    if ref.uri.startswith("memory:"):
        with suppress(PictureError):
            return fetch(ref)
    return None


class SupervisedWorker:
    """Classifies chunks in a process that may die. Several threads may call `classify` at once."""

    def __init__(
        self,
        start: WorkerConfig,
        model: Model,
        *,
        meter: ProgressCounters | None = None,
        command: Sequence[str] | None = None,
    ) -> None:
        """Start the process. `meter` counts pictures as they are done and says when to stop.

        `command` is the worker program, by default seefood's own.
        """
        self._start = start
        self._meter = meter or ProgressCounters()
        self._command = command
        self._model = model
        self._isolated = IsolatedWorker(start, command)
        self._open: dict[int, _Pending] = {}
        self._numbers = count()
        self._lock = threading.RLock()
        self._blank_deaths = 0
        self._closed = threading.Event()
        self._alone: set[Picture] = set()
        self._process: WorkerProcess | None = None
        self._running()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    @property
    def engine_name(self) -> str:
        """What rows state in their `engine` column. Waits for the process. Raises `StopError`."""
        return self._running().wait_ready()

    def classify(self, refs: Sequence[ImageRef]) -> list[Row]:
        """Return one row for each of `refs`, in order. Whatever fails is a row.

        Raises `JobError` when the operator asked to stop and the time for that is over, or when
        workers die for no picture's fault.
        """
        if not refs:
            return []
        pending = _Pending(refs, [None] * len(refs), len(refs))
        with self._lock:
            number = next(self._numbers)
            self._open[number] = pending
            process = self._running()
        process.ask(number, pending.asked())
        try:
            pending.done.result()
        finally:
            with self._lock:
                del self._open[number]
        return [row for row in pending.rows if row is not None]

    def close(self) -> None:
        """End the processes and wait for them."""
        self._closed.set()
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.close()
        self._isolated.close()

    def on_row(self, number: int, index: int, row: Row) -> None:
        """See `worker_process.Listener`."""
        pending = self._open.get(number)
        if pending is not None and pending.put(index, row):
            self._meter.count(row)
            self._blank_deaths = 0

    def on_failed(self, number: int, error: StopError) -> None:
        """See `worker_process.Listener`."""
        pending = self._open.get(number)
        if pending is not None:
            pending.fail(error)

    def on_end(self, process: WorkerProcess, status: int) -> None:
        """See `worker_process.Listener`: replace it, and clear up the suspects."""
        with self._lock:
            if process is not self._process:
                return
            self._process = None
            if self._closed.is_set() or self._meter.out_of_time:
                return
            opened = dict(self._open)
        try:
            process.wait_ready()
            if opened:
                self._recover(process, status, opened)
        except StopError as error:
            for pending in opened.values():
                pending.fail(error)

    def _running(self) -> WorkerProcess:
        with self._lock:
            if self._process is None:
                self._process = WorkerProcess(self._start, self, self._command)
            return self._process

    def _recover(self, dead: WorkerProcess, status: int, opened: dict[int, _Pending]) -> None:
        suspects = {picture for note in dead.in_flight() for picture in note.pictures}
        suspects = {(number, at) for number, at in suspects if number in opened}
        _log.warning(
            "a worker process ended (%s) with %d pictures in its hands; they are classified again "
            "one by one",
            end_of(status),
            len(suspects),
        )
        self._blank_deaths += 1
        if not suspects and self._blank_deaths > _MAX_BLANK_DEATHS:
            raise JobError(
                f"worker processes end again and again ({end_of(status)}) before they decode "
                "anything; is there enough memory? Run it again with --verbose"
            )
        alone: list[tuple[int, ClassifyRequest]] = []
        process = self._running()
        for number, pending in opened.items():
            pending.deaths += any(number == suspect for suspect, _ in suspects)
            everything = pending.deaths > _MAX_CHUNK_DEATHS
            rest = []
            for asked in pending.asked():
                picture = (number, asked.index)
                if picture in self._alone:
                    continue  # after an earlier death; its row comes
                if everything or picture in suspects:
                    self._alone.add(picture)
                    alone.append((number, asked))
                else:
                    rest.append(asked)
            if rest:
                process.ask(number, rest)
        for number, asked in alone:
            self.on_row(
                number, asked.index, self._isolated.classify_one(asked.ref, self._model, asked.data)
            )
            self._alone.discard((number, asked.index))

    def _watch(self) -> None:
        """End what hangs, and everything once the time for stopping is over."""
        limit = self._start.settings.limits.max_seconds
        while not self._closed.wait(_POLL_SECONDS):
            process = self._process
            if process is not None and process.is_overdue(limit):
                process.kill()
            if self._meter.out_of_time:
                for pending in list(self._open.values()):
                    pending.fail(JobError(STOPPED))
                if process is not None:
                    process.kill()
                self._isolated.kill()
