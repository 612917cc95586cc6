"""OpenVINO: the bundle's tflite graph, compiled for this processor; float32, or bfloat16 if asked.

bfloat16 takes about half of float32's time on processors that compute in it, and rounds
each activation to eight bits of mantissa: probabilities move by up to some hundredths, labels
seldom. So it is an engine of its own name, which nobody gets without asking and every row states.

One compiled network serves all threads; each has a request of its own, so nothing waits.
"""

import sys
import threading
from typing import Any, Literal

import numpy as np

from seefood.bundle import LITERT_MODEL, Bundle
from seefood.errors import BundleError, UsageError
from seefood.imaging.decode import Pixels

# OpenVINO imports a package that reports its use to its makers, and does without where it is not.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type] # Python's own mark

import openvino as ov  # noqa: E402 (see above)


class OpenVINOEngine:
    """The bundle's `model.tflite`; `predict` may be called from any number of threads."""

    batch_size = 8

    def __init__(self, bundle: Bundle, precision: Literal["f32", "bf16"], threads: int) -> None:
        """Compile for `threads` pictures at a time.

        Raises `BundleError` if the bundle has no LiteRT graph or one that cannot be compiled,
        `UsageError` if this processor does not compute in bfloat16.
        """
        self.name = "openvino" if precision == "f32" else f"openvino-{precision}"
        if not bundle.has_litert:
            raise BundleError(
                f"the bundle {bundle.path} has no {LITERT_MODEL} (its graph did not convert); "
                "use `--engine tensorflow`"
            )
        core = ov.Core()
        if precision == "bf16" and "BF16" not in core.get_property(
            "CPU", "OPTIMIZATION_CAPABILITIES"
        ):
            raise UsageError(
                "this processor does not compute in bfloat16; use `--engine openvino` or "
                "`--engine litert`"
            )
        settings = {
            "NUM_STREAMS": threads,
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": precision,
            "ENABLE_CPU_PINNING": False,  # decoding runs on the same cores
        }
        path = bundle.file(LITERT_MODEL)
        try:
            self._network = core.compile_model(core.read_model(path), "CPU", settings)
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:200]
            raise BundleError(f"OpenVINO cannot load {path}: {reason}") from error
        self._result, self._maps = self._outputs(bundle)
        self._classes = len(bundle.labels)
        self._local = threading.local()

    def predict(self, images: Pixels) -> "np.typing.NDArray[np.float32]":
        """See `seefood.engines.Engine.predict`."""
        request = self._request()
        answers = np.empty((len(images), self._classes), dtype=np.float32)
        for index, image in enumerate(images):
            request.infer({0: image[np.newaxis]}, share_inputs=True)
            answers[index] = request.get_output_tensor(self._result).data[0]
        return answers

    def explain(
        self, images: Pixels
    ) -> "tuple[np.typing.NDArray[np.float32], np.typing.NDArray[np.float32] | None]":
        """See `seefood.engines.litert.LiteRTEngine.explain`."""
        if self._maps is None:
            return self.predict(images), None
        request = self._request()
        answers, maps = [], []
        for image in images:
            request.infer({0: image[np.newaxis]}, share_inputs=True)
            answers.append(request.get_output_tensor(self._result).data[0].copy())
            maps.append(request.get_output_tensor(self._maps).data[0].copy())
        return np.stack(answers), np.stack(maps)

    def _request(self) -> Any:
        """Return this thread's request."""
        mine = getattr(self._local, "request", None)
        if mine is None:
            mine = self._local.request = self._network.create_infer_request()
        return mine

    def _outputs(self, bundle: Bundle) -> tuple[int, int | None]:
        """Return where the probabilities and the maps come out. Raises `BundleError`."""
        rule, classes = bundle.spec.rule, len(bundle.labels)
        source = self._network.inputs[0]
        due = (1, rule.height, rule.width, 3)
        shapes = [tuple(each.shape) for each in self._network.outputs]
        if (
            tuple(source.shape) != due
            or source.element_type != ov.Type.u8
            or (1, classes) not in shapes
        ):
            raise BundleError(
                f"{bundle.file(LITERT_MODEL)} takes {source.element_type.get_type_name()} "
                f"{tuple(source.shape)} and answers {shapes} where u8 {due} and {(1, classes)} are "
                "due; make the bundle again with `seefood package`"
            )
        maps = [at for at, shape in enumerate(shapes) if len(shape) == 4]
        return shapes.index((1, classes)), maps[0] if maps else None
