"""The worker of a process: opened once, shared by every thread that Beam starts there."""

from dataclasses import dataclass
from functools import cache

from seefood.bundle import load_bundle
from seefood.classify import Model, Settings
from seefood.engines import load_engine
from seefood.progress import Meter
from seefood.worker import Worker


@dataclass(frozen=True, slots=True)
class BundleWorker:
    """How to open a worker for a model bundle; small, and travels to other machines.

    Calling it loads and certifies the engine, once in a process, and returns its worker.
    """

    bundle: str
    """The bundle's folder, as this process sees it."""
    digest: str
    """Which model it must be: another one is refused."""
    engine: str
    settings: Settings
    run_id: str

    def __call__(self) -> Worker:
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
def _open(spec: BundleWorker) -> Worker:
    bundle = load_bundle(spec.bundle, expected_digest=spec.digest)
    engine = load_engine(bundle, spec.engine)
    return Worker(engine, Model.of(bundle), spec.settings, meter=run_meter(spec.run_id))
