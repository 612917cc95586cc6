"""The worker of a process: opened once, shared by every thread that Beam starts there."""

from dataclasses import dataclass
from functools import cache

from seefood.bundle import load_bundle
from seefood.classify import ClassifyOptions, Model
from seefood.engines.threads import compute_threads
from seefood.errors import StopError
from seefood.runs.progress import ProgressCounters
from seefood.workers.protocol import WorkerConfig
from seefood.workers.supervisor import SupervisedWorker
from seefood.workers.threaded import ChunkClassifier
from seefood_pipeline.warm_start import warm_start_of


@dataclass(frozen=True, slots=True)
class WorkerFactory:
    """How to open a worker for a model bundle; small, and travels to other machines.

    Calling it starts a process that loads and certifies the engine, once, and returns its worker.
    """

    bundle: str
    """The bundle's folder, as this process sees it."""
    digest: str
    """Which model it must be: another one is refused."""
    engine: str
    settings: ClassifyOptions
    run_id: str

    def __call__(self) -> ChunkClassifier:
        """Return the worker, or the run's head start before it. Raises as `open` does."""
        return warm_start_of(self.run_id) or self.open()

    def open(self) -> SupervisedWorker:
        """Return the worker. Raises `BundleError` or `UsageError`."""
        return _open(self)


@cache
def run_counters(run_id: str) -> ProgressCounters:
    """Return the counters of a run in this process; the launcher reads them for its progress bar.

    On a machine that is not the launcher's nobody reads them.
    """
    del run_id  # the cache's key
    return ProgressCounters()


@cache
def _open(spec: WorkerFactory) -> SupervisedWorker:
    threads = compute_threads(spec.engine)
    start = WorkerConfig(spec.bundle, spec.digest, spec.engine, spec.settings, threads=threads)
    model = Model.of(load_bundle(spec.bundle, expected_digest=spec.digest))
    worker = SupervisedWorker(start, model, meter=run_counters(spec.run_id))
    try:
        _ = worker.engine_name  # whatever is wrong with the model is said now
    except StopError:
        worker.close()
        raise
    return worker
