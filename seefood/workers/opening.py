"""Opens a worker for a model that a caller names."""

from dataclasses import dataclass, field

from seefood.bundle import Bundle
from seefood.bundle.named import open_bundle
from seefood.bundle.variants import load_variant
from seefood.classification import ClassifyOptions, Model
from seefood.engines.registry import AUTO, engine_spec
from seefood.engines.threads import compute_threads
from seefood.errors import StopError
from seefood.runs.progress import ProgressCounters
from seefood.workers.protocol import WorkerConfig
from seefood.workers.supervisor import SupervisedWorker


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What a worker is opened for: a model, and how it classifies pictures."""

    model: str = ""
    """A bundle's folder or URI, or a built-in model; the default model if empty."""
    digest: str | None = None
    """The digest that the model must have, or its first 12 digits; None accepts any model."""
    engine: str = AUTO
    options: ClassifyOptions = field(default_factory=ClassifyOptions)
    variant: str = ""
    """The faster variant in that bundle that is run; `digest` is then its whole digest."""

    def open(self) -> Bundle:
        """Return the bundle that is run, verified. Raises `BundleError`."""
        if not self.variant:
            return open_bundle(self.model or None, self.digest)
        bundle = open_bundle(self.model or None, with_variants=True)
        return load_variant(bundle, self.variant, self.digest or "")


def check_spec(spec: ModelSpec) -> None:
    """Raise `UsageError` for an engine that is unknown."""
    if spec.engine != AUTO:
        engine_spec(spec.engine)


def open_worker(spec: ModelSpec, counters: ProgressCounters | None = None) -> SupervisedWorker:
    """Start a worker for `spec`; return it once the engine has passed the bundle's certificate.

    Each finished picture is counted in `counters`, which also stop the worker. Raises `BundleError`
    or `UsageError`.
    """
    bundle = spec.open()
    threads = compute_threads(spec.engine)
    config = WorkerConfig(str(bundle.path), bundle.digest, spec.engine, spec.options, threads)
    worker = SupervisedWorker(config, Model.of(bundle), counters=counters)
    try:
        _ = worker.engine_name  # waits, and raises what is wrong with the model
    except StopError:
        worker.close()
        raise
    return worker
