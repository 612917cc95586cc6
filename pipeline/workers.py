"""The worker of a process: opened once, shared by every thread that Beam starts there."""

from dataclasses import dataclass
from functools import cache

from pipeline.head_start import head_start_of
from seefood.bundle import load_bundle
from seefood.classify import Model, Settings
from seefood.containment import ContainedWorker
from seefood.cores import compute_threads
from seefood.errors import StopError
from seefood.progress import Meter
from seefood.wire import WorkerStart
from seefood.worker import Classifier


@dataclass(frozen=True, slots=True)
class BundleWorker:
    """How to open a worker for a model bundle; small, and travels to other machines.

    Calling it starts a process that loads and certifies the engine, once, and returns its worker.
    """

    bundle: str
    """The bundle's folder, as this process sees it."""
    digest: str
    """Which model it must be: another one is refused."""
    engine: str
    settings: Settings
    run_id: str

    def __call__(self) -> Classifier:
        """Return the worker, or the run's head start before it. Raises as `open` does."""
        return head_start_of(self.run_id) or self.open()

    def open(self) -> ContainedWorker:
        """Return the worker. Raises `BundleError` or `UsageError`."""
        return _open(self)


@cache
def run_meter(run_id: str) -> Meter:
    """Return the counters of a run in this process; the launcher reads them for its progress bar.

    On a machine that is not the launcher's nobody reads them.
    """
    del run_id  # the cache's key
    return Meter()


@cache
def _open(spec: BundleWorker) -> ContainedWorker:
    threads = compute_threads(spec.engine)
    start = WorkerStart(spec.bundle, spec.digest, spec.engine, spec.settings, threads=threads)
    model = Model.of(load_bundle(spec.bundle, expected_digest=spec.digest))
    worker = ContainedWorker(start, model, meter=run_meter(spec.run_id))
    try:
        _ = worker.engine_name  # whatever is wrong with the model is said now
    except StopError:
        worker.close()
        raise
    return worker
