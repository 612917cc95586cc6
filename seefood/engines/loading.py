"""Engines: the seam between the algorithm and a runtime, one file per runtime.

    litert      the bundle's tflite graph; light, the default
    openvino    the same graph compiled for this processor; in bfloat16 only if asked
    tensorflow  the SavedModel itself
    cascade     two of the above, one after the other
    fake        colours instead of a network; ships for tests and examples

An engine is anything with the three attributes and the one call of `Engine`.
"""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Final, Literal

from seefood.bundle import FIRST, Bundle, load_bundle
from seefood.engines.base import Engine
from seefood.engines.cascade import CascadeEngine
from seefood.engines.certificate import certify
from seefood.engines.threads import available_cores
from seefood.errors import BundleError, UsageError


def _litert(bundle: Bundle) -> Engine:
    from seefood.engines.litert import LiteRTEngine  # noqa: PLC0415 (a runtime loads when chosen)

    return LiteRTEngine(bundle)


def _tensorflow(bundle: Bundle) -> Engine:
    if find_spec("tensorflow") is None:
        raise UsageError(
            "the tensorflow engine needs TensorFlow, which is not installed; "
            'run `pip install "seefood[tensorflow]"` or use `--engine litert`'
        )
    from seefood.engines.tensorflow import TensorFlowEngine  # noqa: PLC0415 (as above)

    return TensorFlowEngine(bundle)


def _openvino(bundle: Bundle, precision: Literal["f32", "bf16"]) -> Engine:
    if find_spec("openvino") is None:
        raise UsageError(
            "the openvino engine needs OpenVINO, which is not installed; "
            'run `pip install "seefood[openvino]"` or use `--engine litert`'
        )
    from seefood.engines.openvino import OpenVINOEngine  # noqa: PLC0415 (as above)

    return OpenVINOEngine(bundle, precision, available_cores())


def _fake(bundle: Bundle) -> Engine:
    from seefood.engines.fake import FakeEngine  # noqa: PLC0415 (as above)

    return FakeEngine(len(bundle.labels))


_FACTORIES: Final[dict[str, Callable[[Bundle], Engine]]] = {
    "litert": _litert,
    "tensorflow": _tensorflow,
    "openvino": partial(_openvino, precision="f32"),
    "openvino-bf16": partial(_openvino, precision="bf16"),
    "fake": _fake,
}
ENGINE_NAMES: Final = ("auto", "litert", "tensorflow", "openvino", "openvino-bf16")
"""What users choose from; the fake is for bundles that were certified for it, in tests."""

_WHOLE: Final = frozenset({"tensorflow"})
"""Engines that ask the large network of a cascade about every picture: the SavedModel is that."""

_TOLERANCES: Final = {"openvino-bf16": 0.05}
"""How far a probability may be from the certificate's for engines that round more than it does."""


def load_engine(bundle: Bundle, name: str = "auto") -> Engine:
    """Return the engine `name` for `bundle`, certified: it reproduces the golden pictures.

    `auto` is LiteRT where the bundle has it, else TensorFlow, whatever else is installed: what is
    chosen depends on the bundle alone, and so do its rows. Raises `UsageError` for an unknown
    or uninstalled engine, `BundleError` if the engine computes something else than certified.
    """
    if name == "auto":
        name = "litert" if bundle.has_litert else "tensorflow"
    factory = _FACTORIES.get(name)
    if factory is None:
        raise UsageError(f"there is no engine {name!r}; choose one of {', '.join(ENGINE_NAMES)}")
    engine = factory(bundle)
    if bundle.is_cascade and name not in _WHOLE:
        engine = _behind_first(engine, bundle, name)
    certified_difference(engine, bundle)
    return engine


def _behind_first(engine: Engine, bundle: Bundle, name: str) -> Engine:
    """Return `engine` with the small network of the cascade `bundle` before it."""
    first = load_bundle(bundle.file(FIRST))
    if first.labels != bundle.labels or first.spec.rule.fit != bundle.spec.rule.fit:
        raise BundleError(
            f"the network inside {bundle.path} has other labels, or fits pictures in another way; "
            "make the bundle again with `seefood cascade`"
        )
    at_least = bundle.spec.first_at_least or 1.0
    return CascadeEngine(load_engine(first, name), engine, first.spec.rule, at_least)


def certified_difference(engine: Engine, bundle: Bundle) -> float:
    """Return how far `engine` is from the bundle's certificate; raises as `certify` does."""
    return certify(engine, bundle, _TOLERANCES.get(engine.name, 0.0))
