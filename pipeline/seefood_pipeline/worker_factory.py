"""The worker of a process: one for each model, shared by every thread and step of the process.

Beam creates several copies of a step and calls them from several threads. They all use one worker
process, which has one copy of the model.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from seefood.runs.progress import ProgressCounters
from seefood.runs.run_spec import RunSpec
from seefood.workers.chunks import ChunkClassifier
from seefood.workers.opening import ModelSpec, open_worker
from seefood.workers.supervisor import SupervisedWorker

# A runner ends a step's copies and creates new ones at any time; loading a model takes a second.
_IDLE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class WorkerKey:
    """What a worker is shared by."""

    spec: ModelSpec
    run_id: str = ""
    """The run whose counters its rows are counted in, and which stop it; empty for none."""

    @classmethod
    def of(cls, run: RunSpec) -> "WorkerKey":
        """Return the key of the worker that classifies the pictures of `run`."""
        options = run.options
        spec = ModelSpec(run.bundle, run.digest, options.engine, options.classify)
        return cls(spec, run.run_id)


WorkerFactory = Callable[[WorkerKey], AbstractContextManager[ChunkClassifier]]
"""Lends the worker for a key. Beam sends it to other machines by name."""


@cache
def run_counters(run_id: str) -> ProgressCounters:
    """Return the counters of a run in this process; on the launcher they feed the progress bar."""
    del run_id  # the key of the cache
    return ProgressCounters()


@dataclass
class _Shared:
    """A worker and those who use it."""

    worker: SupervisedWorker
    users: int = 0
    idle: threading.Timer | None = field(default=None)


_workers: Final[dict[WorkerKey, _Shared]] = {}
_lock: Final = threading.RLock()


@contextmanager
def shared_worker(key: WorkerKey) -> Iterator[SupervisedWorker]:
    """Lend this process's worker for `key`; the first user starts it.

    Once it is unused for a minute it ends. Raises `BundleError` or `UsageError`.
    """
    with _lock:
        shared = _workers.get(key)
        if shared is None:
            counters = run_counters(key.run_id) if key.run_id else None
            shared = _workers[key] = _Shared(open_worker(key.spec, counters))
        shared.users += 1
        if shared.idle is not None:
            shared.idle.cancel()
    try:
        yield shared.worker
    finally:
        _release(key, shared)


def close_worker(key: WorkerKey) -> None:
    """End the worker for `key` at once, if there is one."""
    with _lock:
        shared = _workers.pop(key, None)
    if shared is not None:
        shared.worker.close()


def _release(key: WorkerKey, shared: _Shared) -> None:
    with _lock:
        shared.users -= 1
        if not shared.users and _workers.get(key) is shared:
            shared.idle = threading.Timer(_IDLE_SECONDS, _close_idle, (key, shared))
            shared.idle.daemon = True
            shared.idle.start()


def _close_idle(key: WorkerKey, shared: _Shared) -> None:
    with _lock:
        if shared.users or _workers.get(key) is not shared:
            return
        del _workers[key]
    shared.worker.close()
