"""Opens the worker of a process: once, shared by every thread that Beam starts there."""

from collections.abc import Callable
from functools import cache

from seefood.bundle import load_bundle
from seefood.classification import Model
from seefood.engines.threads import compute_threads
from seefood.errors import StopError
from seefood.runs.progress import ProgressCounters
from seefood.runs.run_spec import RunSpec
from seefood.workers.chunks import ChunkClassifier
from seefood.workers.protocol import WorkerConfig
from seefood.workers.supervisor import SupervisedWorker

WorkerFactory = Callable[[RunSpec], ChunkClassifier]
"""Opens the worker of a run. Beam sends it to other machines by name."""


def open_worker(run: RunSpec) -> SupervisedWorker:
    """Return this process's worker for `run`; the first call starts it.

    Returns once the engine has passed the bundle's certificate. Raises `BundleError` or
    `UsageError`.
    """
    return _open_worker(run)


@cache
def run_counters(run_id: str) -> ProgressCounters:
    """Return the counters of a run in this process; on the launcher they feed the progress bar."""
    del run_id  # the key of the cache
    return ProgressCounters()


@cache
def _open_worker(run: RunSpec) -> SupervisedWorker:
    options = run.options
    threads = compute_threads(options.engine)
    config = WorkerConfig(run.bundle, run.digest, options.engine, options.classify, threads)
    model = Model.of(load_bundle(run.bundle, expected_digest=run.digest))
    worker = SupervisedWorker(config, model, counters=run_counters(run.run_id))
    try:
        _ = worker.engine_name  # waits, and raises what is wrong with the model
    except StopError:
        worker.close()
        raise
    return worker
