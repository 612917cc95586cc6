"""The table of engines. Imports neither NumPy nor a runtime, so `--help` can list the names.

To add an engine, write a module with a class that implements `seefood.engines.base.Engine` and add
one `EngineSpec` to `_BUILT_IN`.
"""

from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from typing import Final

from seefood.errors import UsageError
from seefood.nearest import did_you_mean

AUTO: Final = "auto"
"""The engine name that chooses by the bundle: LiteRT, ONNX Runtime or TensorFlow, the first whose
graph it has."""


class Graph(StrEnum):
    """Which of a bundle's graphs an engine runs."""

    LITERT = "litert"
    """`model.tflite`. In a cascade the small network runs first, with the same engine."""
    ONNX = "onnx"
    """`model.onnx`. A cascade has none."""
    SAVED_MODEL = "saved_model"
    """The SavedModel. In a cascade it is the large network, which then classifies all pictures."""


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """One engine: its name, what it needs, and where its code is."""

    name: str
    """As users type it and rows state it; the engine's own `name` must be the same."""
    factory: str
    """`module:callable`; called with the bundle, returns the engine. Imported on first use."""
    graph: Graph
    title: str = ""
    """The runtime's name in messages; default: `name`."""
    library: str | None = None
    """The import name that must be there; None if seefood itself is enough."""
    extra: str | None = None
    """The pip extra of seefood that installs `library`."""
    tolerance: float = 0.0
    """How far a probability may be from the certificate, if more than the bundle's tolerance."""
    threads_per_core: int = 1
    """How many threads should call `predict`, for each core of the machine."""
    cuda_file: str | None = None
    """The file in `library`'s folder that builds with CUDA have; None if it cannot use CUDA.

    `factory` then takes `device`, and the engine says in `device` what it computes on.
    """
    cuda_install: str = ""
    """The command that installs such a build with NVIDIA's libraries."""
    cuda_tolerance: float = 0.01
    """`tolerance` on a CUDA device, whose TensorFloat-32 has 10 bits of mantissa."""
    is_exact: bool = False
    """Whether bundles are made for it: if it misses the certificate, the bundle is damaged."""
    gives_features: bool = False
    """Whether `factory` takes `features=True` and returns a `FeatureEngine`."""
    is_selectable: bool = True
    """Whether users may choose it; False for the fake, which is for tests."""

    @property
    def is_installed(self) -> bool:
        """Whether the engine's library can be imported."""
        return self.library is None or find_spec(self.library) is not None


_BUILT_IN: Final = (
    EngineSpec(
        name="litert",
        factory="seefood.engines.litert:LiteRTEngine",
        graph=Graph.LITERT,
        title="LiteRT",
        library="ai_edge_litert",
        gives_features=True,
        is_exact=True,
    ),
    EngineSpec(
        name="tensorflow",
        factory="seefood.engines.tensorflow:TensorFlowEngine",
        graph=Graph.SAVED_MODEL,
        title="TensorFlow",
        library="tensorflow",
        extra="tensorflow",
        cuda_file="__init__.py",  # each build for Linux can, if it finds NVIDIA's libraries
        cuda_install='pip install "seefood[tensorflow-cuda]"',
        gives_features=True,
        is_exact=True,
    ),
    EngineSpec(
        name="onnxruntime",
        factory="seefood.engines.onnxruntime:OnnxRuntimeEngine",
        graph=Graph.ONNX,
        title="ONNX Runtime",
        library="onnxruntime",
        extra="onnx",
        cuda_file="capi/libonnxruntime_providers_cuda.so",
        # Both of its packages install the same folder: one must go before the other comes.
        cuda_install="pip uninstall --yes onnxruntime onnxruntime-gpu && "
        'pip install "seefood[onnx-cuda]"',
        gives_features=True,
        is_exact=True,
    ),
    # OpenVINO computes on threads of its own: a core's second thread decodes meanwhile.
    EngineSpec(
        name="openvino",
        factory="seefood.engines.openvino:OpenVINOEngine",
        graph=Graph.LITERT,
        title="OpenVINO",
        library="openvino",
        extra="openvino",
        gives_features=True,
        threads_per_core=2,
    ),
    EngineSpec(
        name="openvino-bf16",
        factory="seefood.engines.openvino:OpenVINOBfloat16Engine",
        graph=Graph.LITERT,
        title="OpenVINO",
        library="openvino",
        extra="openvino",
        gives_features=True,
        tolerance=0.05,
        threads_per_core=2,
    ),
    EngineSpec(
        name="fake",
        factory="seefood.engines.fake:load_fake_engine",
        graph=Graph.LITERT,
        gives_features=True,
        is_selectable=False,
    ),
)
_SPECS: Final = {spec.name: spec for spec in _BUILT_IN}


def register_engine(spec: EngineSpec) -> None:
    """Add an engine in this process; other processes of a run know only `_BUILT_IN`.

    Raises `ValueError` if the name is taken.
    """
    if spec.name == AUTO or spec.name in _SPECS:
        message = f"there is already an engine {spec.name!r}; choose another name"
        raise ValueError(message)
    _SPECS[spec.name] = spec


def selectable_engines() -> tuple[EngineSpec, ...]:
    """Return the engines that users may choose, in the order of registration."""
    return tuple(spec for spec in _SPECS.values() if spec.is_selectable)


def engine_names() -> tuple[str, ...]:
    """Return the names that users may choose; `auto` is the first."""
    return (AUTO, *(spec.name for spec in selectable_engines()))


def engine_spec(name: str) -> EngineSpec:
    """Return the engine `name`, which is not `auto`. Raises `UsageError` if there is none."""
    if name not in _SPECS:
        known = engine_names()
        near = did_you_mean(name, known)
        raise UsageError(f"there is no engine {name!r}; choose one of {', '.join(known)}{near}")
    return _SPECS[name]
