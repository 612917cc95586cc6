"""Creates an engine for a bundle and checks it against the bundle's certificate."""

from importlib import import_module

from seefood.bundle import SMALL_NETWORK, Bundle, load_bundle
from seefood.engines.base import Engine
from seefood.engines.cascade import CascadeEngine
from seefood.engines.certificate import certify
from seefood.engines.devices import CPU, CUDA, device_for, device_of, warn_of_unused_device
from seefood.engines.registry import AUTO, EngineSpec, Graph, engine_spec, selectable_engines
from seefood.errors import BundleError, UsageError


def load_engine(bundle: Bundle, name: str = AUTO, *, features: bool = False) -> Engine:
    """Return the engine `name` for `bundle`, after it has reproduced the golden pictures.

    With `features` it is a `FeatureEngine` whose features are certified too.
    `auto` depends on the bundle alone (`AUTO`), whatever is installed, and so do its rows.
    An engine that can use a CUDA device does so where there is one, with a tolerance of its own;
    if it cannot, a warning says why.
    Raises `UsageError` for an engine that is unknown, not installed or without features,
    `BundleError` if the engine does not reproduce the certificate or the bundle has no features.
    """
    if name == AUTO:
        name = _automatic(bundle)
    spec = engine_spec(name)
    engine = create_engine(bundle, name, features=features, device=device_for(spec))
    warn_of_unused_device(spec, device_of(engine))
    if bundle.is_cascade and spec.graph is Graph.LITERT:
        engine = _cascade(engine, bundle, name)
    certify(engine, bundle, tolerance_of(engine, spec), features=features)
    return engine


def tolerance_of(engine: Engine, spec: EngineSpec) -> float:
    """Return how far `engine` may be from the certificate on the device that it computes on."""
    is_cuda = device_of(engine) == CUDA
    return max(spec.tolerance, spec.cuda_tolerance) if is_cuda else spec.tolerance


def gives_features(bundle: Bundle, name: str = AUTO) -> bool:
    """Whether the engine `name` can be loaded with the features of `bundle`."""
    spec = engine_spec(_automatic(bundle) if name == AUTO else name)
    known = bundle.features is not None and spec.graph in bundle.features.tensors
    return known and spec.gives_features and not bundle.is_cascade


def has_graph(bundle: Bundle, graph: Graph) -> bool:
    """Whether `bundle` contains the graph that an engine runs."""
    return {
        Graph.LITERT: bundle.has_litert,
        Graph.ONNX: bundle.has_onnx,
        Graph.SAVED_MODEL: bundle.has_saved_model,
    }[graph]


def _automatic(bundle: Bundle) -> str:
    if bundle.has_litert:
        return "litert"
    return "onnxruntime" if bundle.has_onnx else "tensorflow"


def create_engine(
    bundle: Bundle, name: str, *, features: bool = False, device: str = CPU
) -> Engine:
    """Return the engine `name`, not certified: `load_engine` is for those that classify.

    Bundles are made on the processor, the default of `device`, so that their certificates are.

    Raises `UsageError` for an engine that is unknown, not installed or without features.
    """
    spec = engine_spec(name)
    if not spec.is_installed:
        package = f"seefood[{spec.extra}]" if spec.extra else spec.library
        other = _automatic(bundle)
        instead = f" or use `--engine {other}`" if other != spec.name else ""
        raise UsageError(
            f"the {spec.name} engine needs {spec.title or spec.library}, which is not installed; "
            f'run `pip install "{package}"`{instead}'
        )
    if features and not spec.gives_features:
        able = ", ".join(each.name for each in selectable_engines() if each.gives_features)
        raise UsageError(f"the {spec.name} engine gives no features; use one of {able}")
    module, _, factory = spec.factory.partition(":")
    create = getattr(import_module(module), factory)
    options: dict[str, object] = {"features": True} if features else {}
    if device != CPU:
        options["device"] = device
    engine: Engine = create(bundle, **options)
    return engine


def _cascade(engine: Engine, bundle: Bundle, name: str) -> Engine:
    """Return `engine` behind the small network of the cascade `bundle`."""
    small = load_bundle(bundle.file(SMALL_NETWORK))
    if small.labels != bundle.labels or small.spec.rule.fit != bundle.spec.rule.fit:
        raise BundleError(
            f"the small network in {bundle.path} has other labels or another fit than the bundle; "
            "make the bundle again with `seefood cascade`"
        )
    threshold = bundle.spec.cascade_threshold or 1.0
    return CascadeEngine(load_engine(small, name), engine, small.spec.rule, threshold)
