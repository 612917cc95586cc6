"""One worker: pictures fetched ahead, decoded and inferred on as many threads as there are cores.

Each compute thread takes a picture through decode and inference by itself, because Pillow and the
engines release the interpreter's lock and nothing is handed over. Remote objects are fetched ahead
by a pool of threads, bounded by bytes, and taken up in the order of arrival: a slow object delays
nobody but itself.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from queue import Empty, SimpleQueue
from typing import Final, Protocol

from seefood.classify import ClassifyOptions, Model, classify_images
from seefood.engines.base import Engine
from seefood.engines.threads import available_cores
from seefood.errors import ErrorCode, JobError, PictureError
from seefood.imaging.memory_budget import MemoryBudget, while_waiting
from seefood.records import ImageRef, Row
from seefood.runs.progress import ProgressCounters
from seefood.storage import Store, open_store
from seefood.storage.uris import parse_location
from seefood.workers.in_flight import InFlightTable

STOPPED: Final = "stopped before all pictures were classified; run the same command again to go on"
_FETCHERS: Final = 48
_AHEAD_BYTES: Final = 128 * 1024 * 1024
_TOGETHER_BYTES: Final = 4 * 1024 * 1024
"""Of files that a thread takes up at once: large pictures come one by one."""


class ChunkClassifier(Protocol):
    """What takes chunks through: a `Worker`, or a process that has one."""

    @property
    def engine_name(self) -> str:
        """What rows state in their `engine` column."""

    def classify(self, refs: Sequence[ImageRef]) -> list[Row]:
        """Return one row for each of `refs`, in order."""


class Chunk(Protocol):
    """A chunk on its way."""

    @property
    def number(self) -> int:
        """What its pictures are noted by."""

    def put(self, index: int, row: Row) -> None:
        """Keep the row of one picture."""

    def fail(self, error: BaseException) -> None:
        """Take note that it cannot be finished; the first error counts."""


@dataclass(slots=True)
class _Chunk:
    """A chunk that somebody waits for: rows by index, and how many are still missing."""

    rows: list[Row | None]
    missing: int
    number: int = 0
    done: Future[None] = field(default_factory=Future)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, index: int, row: Row) -> None:
        """Keep the row of one picture."""
        with self.lock:
            self.rows[index] = row
            self.missing -= 1
            if not self.missing and not self.done.done():
                self.done.set_result(None)

    def fail(self, error: BaseException) -> None:
        """Let the caller of `classify` have `error`; the first one counts."""
        if not isinstance(error, Exception):  # a panic of a native library, SystemExit
            broken = JobError(f"a decoder, client or engine broke off: {error!r}; run it again")
            broken.__cause__ = error
            error = broken
        with self.lock:
            if not self.done.done():
                self.done.set_exception(error)


@dataclass(frozen=True, slots=True)
class _Task:
    """One picture on its way; `source` is None while a compute thread has to read it itself."""

    chunk: Chunk
    index: int
    ref: ImageRef
    source: bytes | PictureError | None
    cost: int


class Worker:
    """Classifies chunks. Several threads may call `classify` at once; their pictures interleave."""

    def __init__(
        self,
        engine: Engine,
        model: Model,
        settings: ClassifyOptions = ClassifyOptions(),  # noqa: B008 (a frozen value)
        *,
        threads: int | None = None,
        meter: ProgressCounters | None = None,
        notes: InFlightTable | None = None,
    ) -> None:
        """`threads` is the number of compute threads, by default one for each core.

        `meter` counts pictures as they are done, `notes` tell which are being decoded.
        """
        self._engine = engine
        self._model = model
        self._settings = settings
        self._meter = meter or ProgressCounters()
        self._notes = notes
        self._queue: SimpleQueue[_Task] = SimpleQueue()
        self._budget = MemoryBudget(_AHEAD_BYTES)
        self._fetchers = ThreadPoolExecutor(_FETCHERS, thread_name_prefix="fetch")
        for number in range(threads or available_cores()):
            threading.Thread(
                target=self._compute, args=(number,), name=f"compute-{number}", daemon=True
            ).start()

    @property
    def engine_name(self) -> str:
        """What rows state in their `engine` column."""
        return self._engine.name

    def classify(self, refs: Sequence[ImageRef]) -> list[Row]:
        """Return one row for each of `refs`, in order. Whatever fails is a row.

        Raises `JobError` when the operator asked to stop and the time for that is over.
        """
        if not refs:
            return []
        chunk = _Chunk([None] * len(refs), len(refs))
        for index, ref in enumerate(refs):
            self.start(chunk, index, ref)
        chunk.done.result()
        return [row for row in chunk.rows if row is not None]

    def start(self, chunk: Chunk, index: int, ref: ImageRef, data: bytes | None = None) -> None:
        """Take up one picture, whose row `chunk` gets; its bytes are read unless they are given.

        Waits while too many bytes are fetched ahead.
        """
        limit = self._settings.limits.max_bytes
        if ref.size_bytes > limit:
            error = PictureError(
                ErrorCode.TOO_LARGE,
                f"{ref.size_bytes:,} bytes are more than the limit of {limit:,}",
            )
            self._queue.put(_Task(chunk, index, ref, error, 0))
            return
        if data is not None:
            self._queue.put(_Task(chunk, index, ref, data, 0))
            return
        store = open_store(parse_location(ref.uri).root)
        if not store.is_remote:
            self._queue.put(_Task(chunk, index, ref, None, 0))
            return
        cost = self._budget.take(ref.size_bytes)
        self._fetchers.submit(self._read_ahead, store, _Task(chunk, index, ref, None, cost))

    def _read_ahead(self, store: Store, task: _Task) -> None:
        try:
            self._check_time()
            self._queue.put(replace(task, source=_fetch(store, task.ref)))
        except BaseException as error:  # noqa: BLE001 (nobody reads this thread's future)
            self._budget.give(task.cost)
            task.chunk.fail(error)

    def _compute(self, thread: int) -> None:
        """Take pictures up, for ever: as many small ones at once as the engine likes and are ready.

        Decoding some and then inferring them is faster than taking turns, also for an engine that
        computes them one by one: decoder and network push each other out of a core's caches.
        """
        if self._notes is not None:
            while_waiting.set(partial(self._notes.paused, thread))
        most = self._engine.batch_size
        while True:
            tasks = [self._queue.get()]
            held = tasks[0].ref.size_bytes
            while len(tasks) < most and held < _TOGETHER_BYTES:
                try:
                    tasks.append(self._queue.get_nowait())
                except Empty:
                    break
                held += tasks[-1].ref.size_bytes
            self._finish(tasks, thread)

    def _finish(self, tasks: list[_Task], thread: int) -> None:
        try:
            self._check_time()
            fetched = [(task.ref, _source(task)) for task in tasks]
            on_start = partial(self._note, thread, tasks)
            rows = classify_images(fetched, self._engine, self._model, self._settings, on_start)
        except BaseException as error:  # noqa: BLE001 (a thread must not die with a chunk waiting)
            for task in tasks:
                task.chunk.fail(error)
            return
        finally:
            if self._notes is not None:
                self._notes.end(thread)
            for task in tasks:
                self._budget.give(task.cost)
        for task, row in zip(tasks, rows, strict=True):
            self._meter.count(row)
            task.chunk.put(task.index, row)

    def _note(self, thread: int, tasks: Sequence[_Task], on_start: Sequence[int]) -> None:
        if self._notes is not None:
            pictures = [(tasks[at].chunk.number, tasks[at].index) for at in on_start]
            self._notes.begin(thread, pictures)

    def _check_time(self) -> None:
        if self._meter.out_of_time:
            raise JobError(STOPPED)


def _source(task: _Task) -> bytes | PictureError:
    if task.source is not None:
        return task.source
    return _fetch(open_store(parse_location(task.ref.uri).root), task.ref)


def _fetch(store: Store, ref: ImageRef) -> bytes | PictureError:
    try:
        return store.fetch(ref)
    except PictureError as error:
        return error
