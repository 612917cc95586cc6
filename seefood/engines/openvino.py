"""OpenVINO: the bundle's tflite graph, compiled for this processor in float32 or bfloat16.

bfloat16 takes about half of float32's time on processors that compute in it, and rounds each
activation to eight bits of mantissa: probabilities move by up to a few hundredths, labels seldom.
It is therefore an engine with its own name, which users must choose and every row states.

One compiled network serves all threads; each thread has its own inference request, so none waits.
"""

import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from seefood.bundle import LITERT_MODEL, Bundle
from seefood.engines.extra_output import with_litert_output
from seefood.engines.feature_tensor import feature_tensor
from seefood.engines.registry import Graph
from seefood.engines.threads import available_cores
from seefood.errors import BundleError, UsageError
from seefood.imaging.decode import Pixels
from seefood.sanitize import one_line

if TYPE_CHECKING:
    from seefood.engines.base import Probabilities, ScoreMaps
    from seefood.vectors import Features

# OpenVINO imports this package, which reports its use to Intel, and works without it.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type] # makes the import fail

import openvino as ov  # noqa: E402 (see above)

# OpenVINO 2026.4 looks NumPy up at the first array that it is given. Two threads that give it one
# at the same time wait for each other for ever.
ov.Tensor(np.zeros(1, np.uint8))


class OpenVINOEngine:
    """The bundle's `model.tflite` in float32; `predict` may be called from any thread."""

    name = "openvino"
    batch_size = 8
    precision: ClassVar = "f32"

    def __init__(self, bundle: Bundle, *, features: bool = False) -> None:
        """Compile the graph for as many pictures at a time as there are cores.

        With `features`, the graph returns those that the bundle states too. Raises `BundleError`
        if the bundle has no LiteRT graph or one that cannot be compiled, `UsageError` if this
        processor does not compute in the engine's precision.
        """
        if not bundle.has_litert:
            raise BundleError(
                f"the bundle {bundle.path} has no {LITERT_MODEL} (its graph did not convert); "
                f"use `--engine {'onnxruntime' if bundle.has_onnx else 'tensorflow'}`"
            )
        if bundle.spec.adapter is not None:
            raise BundleError(
                f"{bundle.file(LITERT_MODEL)} is a file as its author exported it, which OpenVINO "
                "may read differently; use `--engine litert`"
            )
        core = ov.Core()
        if self.precision == "bf16" and "BF16" not in core.get_property(
            "CPU", "OPTIMIZATION_CAPABILITIES"
        ):
            raise UsageError(
                "this processor does not compute in bfloat16; use `--engine openvino` or "
                "`--engine litert`"
            )
        settings = {
            "NUM_STREAMS": available_cores(),
            "INFERENCE_NUM_THREADS": available_cores(),
            "INFERENCE_PRECISION_HINT": self.precision,
            "ENABLE_CPU_PINNING": False,  # decoding runs on the same cores
        }
        path = bundle.file(LITERT_MODEL)
        tensor = feature_tensor(bundle, Graph.LITERT) if features else None
        try:
            model = _read(core, path, tensor)
            self._network = core.compile_model(model, "CPU", settings)
        except RuntimeError as error:
            reason = one_line(error)
            raise BundleError(f"OpenVINO cannot load {path}: {reason}") from error
        self._probabilities, self._maps = self._outputs(bundle)
        self._classes = len(bundle.labels)
        self._features = len(self._network.outputs) - 1 if features else None
        self._local = threading.local()

    @property
    def has_features(self) -> bool:
        """See `FeatureEngine.has_features`."""
        return self._features is not None

    def predict_with_features(self, images: Pixels) -> "tuple[Probabilities, Features]":
        """See `FeatureEngine.predict_with_features`."""
        request = self._request()
        probabilities, features = [], []
        for image in images:
            request.infer({0: image[np.newaxis]}, share_inputs=True)
            probabilities.append(request.get_output_tensor(self._probabilities).data[0].copy())
            vector = request.get_output_tensor(self._features).data
            features.append(np.array(vector, np.float32).ravel())
        return np.stack(probabilities), np.stack(features)

    def predict(self, images: Pixels) -> "Probabilities":
        """See `Engine.predict`."""
        request = self._request()
        probabilities = np.empty((len(images), self._classes), dtype=np.float32)
        for index, image in enumerate(images):
            request.infer({0: image[np.newaxis]}, share_inputs=True)
            probabilities[index] = request.get_output_tensor(self._probabilities).data[0]
        return probabilities

    def explain(self, images: Pixels) -> "tuple[Probabilities, ScoreMaps | None]":
        """See `seefood.engines.saliency.ExplainingEngine.explain`."""
        if self._maps is None:
            return self.predict(images), None
        request = self._request()
        probabilities, maps = [], []
        for image in images:
            request.infer({0: image[np.newaxis]}, share_inputs=True)
            probabilities.append(request.get_output_tensor(self._probabilities).data[0].copy())
            maps.append(request.get_output_tensor(self._maps).data[0].copy())
        return np.stack(probabilities), np.stack(maps)

    def _request(self) -> Any:
        """Return this thread's inference request."""
        own = getattr(self._local, "request", None)
        if own is None:
            own = self._local.request = self._network.create_infer_request()
        return own

    def _outputs(self, bundle: Bundle) -> tuple[int, int | None]:
        """Return the indices of the probabilities and of the score maps. Raises `BundleError`."""
        rule, classes = bundle.spec.rule, len(bundle.labels)
        source = self._network.inputs[0]
        expected = (1, *rule.shape)
        shapes = [tuple(each.shape) for each in self._network.outputs]
        if (
            tuple(source.shape) != expected
            or source.element_type != ov.Type.u8
            or (1, classes) not in shapes
        ):
            raise BundleError(
                f"{bundle.file(LITERT_MODEL)} takes {source.element_type.get_type_name()} "
                f"{tuple(source.shape)} and returns {shapes} where u8 {expected} and "
                f"{(1, classes)} are expected; make the bundle again with `seefood package`"
            )
        maps = [at for at, shape in enumerate(shapes) if len(shape) == 4]
        return shapes.index((1, classes)), maps[0] if maps else None


def _read(core: ov.Core, path: Path, tensor: int | str | None) -> ov.Model:
    """Return the graph of a tflite file, with a tensor of this index as its last output."""
    if not isinstance(tensor, int):
        return core.read_model(path)
    with TemporaryDirectory(prefix="seefood-") as folder:  # OpenVINO reads tflite from files only
        changed = Path(folder) / path.name
        changed.write_bytes(with_litert_output(path.read_bytes(), tensor))
        return core.read_model(changed)


class OpenVINOBfloat16Engine(OpenVINOEngine):
    """The same in bfloat16, on processors that compute in it."""

    name = "openvino-bf16"
    precision = "bf16"
