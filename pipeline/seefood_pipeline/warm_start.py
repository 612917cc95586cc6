"""A head start: pictures are listed and classified while Beam is still being imported.

Beam takes one to two seconds to import, and the worker process would wait for it. So the launcher
lists the first chunks and lets the worker begin. When the pipeline runs, its lister goes on where
the head start is, and its workers find the rows of what was begun. Nothing is written before: the
job's steps, and what they promise, are the same. Only for the runner in this process.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Final

from seefood.records import ImageRef, Row
from seefood.results.totals import Totals
from seefood.workers.threaded import ChunkClassifier

Listed = list[ImageRef] | Totals
"""What a listing yields: chunks, and last its counts."""

_IN_FLIGHT: Final = 3
_MAX_CHUNKS: Final = 12  # their rows are held; Beam is there long before
_POLL_SECONDS: Final = 0.02


class WarmStart:
    """A listing that has begun, and a worker that has begun with it."""

    def __init__(self, listed: Iterator[Listed], worker: ChunkClassifier) -> None:
        """Begin. `listed` goes on being read where the head start stops."""
        self._listed = listed
        self._worker = worker
        self._taken: SimpleQueue[Listed | Exception] = SimpleQueue()
        self._rows: dict[tuple[ImageRef, ...], Future[list[Row]]] = {}
        self._pool = ThreadPoolExecutor(_IN_FLIGHT, thread_name_prefix="head-start")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="head-start", daemon=True)
        self._thread.start()

    @property
    def engine_name(self) -> str:
        """See `ChunkClassifier`."""
        return self._worker.engine_name

    def items(self) -> Iterator[Listed]:
        """Yield the whole listing: what was listed ahead, then the rest. Raises what it raised."""
        self._stop.set()
        self._thread.join()
        while not self._taken.empty():
            item = self._taken.get()
            if isinstance(item, Exception):
                raise item
            yield item
        yield from self._listed

    def classify(self, refs: Sequence[ImageRef]) -> list[Row]:
        """Return the rows of `refs`: those that were begun, or else from the worker."""
        begun = self._rows.pop(tuple(refs), None)
        return self._worker.classify(refs) if begun is None else begun.result()

    def close(self) -> None:
        """Begin nothing more."""
        self._stop.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        for _ in range(_MAX_CHUNKS):
            while sum(not future.done() for future in list(self._rows.values())) >= _IN_FLIGHT:
                if self._stop.wait(_POLL_SECONDS):
                    return
            if self._stop.is_set():
                return
            try:
                item = next(self._listed)
            except StopIteration:
                return
            except Exception as error:  # noqa: BLE001 (whatever it is, `items` raises it)
                self._taken.put(error)
                return
            if not isinstance(item, Totals):
                self._rows[tuple(item)] = self._pool.submit(self._worker.classify, item)
            self._taken.put(item)


_running: Final[dict[str, WarmStart]] = {}


def warm_start_of(run_id: str) -> WarmStart | None:
    """Return the head start of a run in this process; None if it has none."""
    return _running.get(run_id)


@contextmanager
def warm_start(run_id: str, begin: Callable[[], WarmStart | None]) -> Iterator[None]:
    """Let `begin` begin, and let the run's steps find it while the block runs."""
    begun = begin()
    if begun is None:
        yield
        return
    _running[run_id] = begun
    try:
        yield
    finally:
        del _running[run_id]
        begun.close()
