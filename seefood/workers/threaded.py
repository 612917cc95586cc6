"""Fetches, decodes and classifies pictures on the threads of one process.

Each compute thread takes a picture through decoding and inference itself: Pillow and the engines
release the interpreter's lock, and pixels are not handed over. Objects of a remote store are
fetched ahead by a pool of threads, up to a limit of bytes, and computed in the order in which they
arrive, so that a slow object delays only itself.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from queue import Empty, SimpleQueue
from typing import Final, Protocol

from seefood.classification import ClassifyOptions, Model, classify_images
from seefood.engines.base import Engine
from seefood.engines.devices import describe_device, device_of
from seefood.errors import ErrorCode, JobError, PictureError
from seefood.imaging.memory_budget import MemoryBudget, while_waiting
from seefood.records import ImageRef, Row
from seefood.storage import Store, open_store
from seefood.storage.uris import parse_location
from seefood.workers.in_flight import InFlightTable

_FETCHERS: Final = 48
_AHEAD_BYTES: Final = 128 * 1024 * 1024
_BATCH_BYTES: Final = 4 * 1024 * 1024
"""Of the files in one batch; a larger picture is a batch of its own."""


class Chunk(Protocol):
    """Receives what becomes of a chunk's pictures."""

    @property
    def number(self) -> int:
        """Its number in the table of pictures in flight."""

    def put(self, index: int, row: Row) -> None:
        """Handle the row of one picture."""

    def fail(self, error: Exception) -> None:
        """Handle an error because of which the chunk cannot be finished."""


@dataclass(frozen=True, slots=True)
class _Task:
    """One picture; `source` is None if the compute thread is to read it."""

    chunk: Chunk
    index: int
    ref: ImageRef
    source: bytes | PictureError | None
    reserved_bytes: int = 0


class ThreadedWorker:
    """Classifies pictures of any number of chunks at the same time."""

    def __init__(
        self,
        engine: Engine,
        model: Model,
        options: ClassifyOptions,
        *,
        threads: int,
        table: InFlightTable,
    ) -> None:
        """Start `threads` compute threads, each of which has a slot in `table`."""
        self._engine = engine
        self._model = model
        self._options = options
        self._table = table
        self._queue: SimpleQueue[_Task] = SimpleQueue()
        self._budget = MemoryBudget(_AHEAD_BYTES)
        self._fetchers = ThreadPoolExecutor(_FETCHERS, thread_name_prefix="fetch")
        # Members of an archive are read one after another: that is one pass over it.
        self._sequential = ThreadPoolExecutor(1, thread_name_prefix="archive")
        for number in range(threads):
            threading.Thread(
                target=self._compute, args=(number,), name=f"compute-{number}", daemon=True
            ).start()

    @property
    def engine_name(self) -> str:
        """The `engine` column of its rows."""
        return self._engine.name

    @property
    def device(self) -> str:
        """What the engine computes on, as people are shown it: `cpu`, or `cuda (NVIDIA L4)`."""
        return describe_device(device_of(self._engine))

    def submit(self, chunk: Chunk, index: int, ref: ImageRef, data: bytes | None = None) -> None:
        """Classify one picture and give its row to `chunk`; fetches `ref` if `data` is None.

        Blocks while too many bytes are fetched ahead.
        """
        limit = self._options.limits.max_bytes
        if ref.size_bytes > limit:
            error = PictureError(
                ErrorCode.TOO_LARGE,
                f"{ref.size_bytes:,} bytes are more than the limit of {limit:,}",
            )
            self._queue.put(_Task(chunk, index, ref, error))
            return
        if data is not None:
            self._queue.put(_Task(chunk, index, ref, data))
            return
        store = open_store(parse_location(ref.uri).root)
        if store.is_sequential:
            reserved = self._budget.acquire(ref.size_bytes)
            task = _Task(chunk, index, ref, None, reserved)
            self._sequential.submit(self._fetch_ahead, store, task)
            return
        if not store.is_remote:
            self._queue.put(_Task(chunk, index, ref, None))
            return
        reserved = self._budget.acquire(ref.size_bytes)
        self._fetchers.submit(self._fetch_ahead, store, _Task(chunk, index, ref, None, reserved))

    def _fetch_ahead(self, store: Store, task: _Task) -> None:
        try:
            self._queue.put(replace(task, source=_fetch(store, task.ref)))
        except BaseException as error:  # noqa: BLE001 (the future of this call is not read)
            self._budget.release(task.reserved_bytes)
            task.chunk.fail(_as_exception(error))

    def _compute(self, slot: int) -> None:
        """Loop: take ready pictures up to the engine's batch size and classify them.

        Decoding a batch before inference is faster than alternating, even for an engine that
        computes pictures one by one: decoder and network evict each other's data from a core's
        cache.
        """
        while_waiting.set(partial(self._table.paused, slot))
        while True:
            tasks = [self._queue.get()]
            batch_bytes = tasks[0].ref.size_bytes
            while len(tasks) < self._engine.batch_size and batch_bytes < _BATCH_BYTES:
                try:
                    tasks.append(self._queue.get_nowait())
                except Empty:
                    break
                batch_bytes += tasks[-1].ref.size_bytes
            self._classify(tasks, slot)

    def _classify(self, tasks: list[_Task], slot: int) -> None:
        def on_start(indices: Sequence[int]) -> None:
            pictures = [(tasks[index].chunk.number, tasks[index].index) for index in indices]
            self._table.begin(slot, pictures)

        try:
            fetched = [(task.ref, _source(task)) for task in tasks]
            rows = classify_images(fetched, self._engine, self._model, self._options, on_start)
        except BaseException as error:  # noqa: BLE001 (the thread must survive, the chunk must end)
            for task in tasks:
                task.chunk.fail(_as_exception(error))
            return
        finally:
            self._table.end(slot)
            for task in tasks:
                self._budget.release(task.reserved_bytes)
        for task, row in zip(tasks, rows, strict=True):
            task.chunk.put(task.index, row)


def _source(task: _Task) -> bytes | PictureError:
    if task.source is not None:
        return task.source
    return _fetch(open_store(parse_location(task.ref.uri).root), task.ref)


def _fetch(store: Store, ref: ImageRef) -> bytes | PictureError:
    try:
        return store.fetch(ref)
    except PictureError as error:
        return error


def _as_exception(error: BaseException) -> Exception:
    """Return `error`; for a native library's panic or `SystemExit`, a `JobError` that names it."""
    if isinstance(error, Exception):
        return error
    failure = JobError(f"a decoder, client or engine broke off: {error!r}; run it again")
    failure.__cause__ = error
    return failure
