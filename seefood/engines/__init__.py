"""Engines: the seam between the algorithm and a runtime, one file per runtime.

    litert      the bundle's tflite graph; light, the default
    tensorflow  the SavedModel itself
    fake        colours instead of a network; ships for tests and examples

An engine is anything with the three attributes and the one call of `Engine`.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from seefood.bundle import Bundle
from seefood.certificate import certify
from seefood.errors import UsageError
from seefood.image import Pixels

Probabilities = NDArray[np.float32]


class Engine(Protocol):
    """A network ready to answer."""

    @property
    def name(self) -> str:
        """What rows state in their `engine` column."""

    @property
    def batch_size(self) -> int:
        """How many pictures one call handles best; any other number works too."""

    def predict(self, images: Pixels) -> Probabilities:
        """Return the probabilities, float32 of shape `(n, classes)`, each row summing to 1.

        `images` is RGB of shape `(n, height, width, 3)`, uint8 in [0, 255]. Several threads may
        call at once.
        """


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


def _fake(bundle: Bundle) -> Engine:
    from seefood.engines.fake import FakeEngine  # noqa: PLC0415 (as above)

    return FakeEngine(len(bundle.labels))


_FACTORIES: Final[dict[str, Callable[[Bundle], Engine]]] = {
    "litert": _litert,
    "tensorflow": _tensorflow,
    "fake": _fake,
}
ENGINE_NAMES: Final = ("auto", "litert", "tensorflow")
"""What users choose from; the fake is for bundles that were certified for it, in tests."""


def load_engine(bundle: Bundle, name: str = "auto") -> Engine:
    """Return the engine `name` for `bundle`, certified: it reproduces the golden pictures.

    `auto` is LiteRT where the bundle has it, else TensorFlow. Raises `UsageError` for an unknown
    or uninstalled engine, `BundleError` if the engine computes something else than certified.
    """
    if name == "auto":
        name = "litert" if bundle.has_litert else "tensorflow"
    factory = _FACTORIES.get(name)
    if factory is None:
        raise UsageError(f"there is no engine {name!r}; choose one of {', '.join(ENGINE_NAMES)}")
    engine = factory(bundle)
    certify(engine, bundle)
    return engine
