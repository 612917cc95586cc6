"""LiteRT: the bundle's tflite graph on XNNPACK, one single-threaded interpreter for each thread.

Two threads with an interpreter each classify more pictures a second than one interpreter with two
threads, because neither waits for the other; the weights are mapped from the file and shared.
"""

import logging
import threading
from typing import TYPE_CHECKING

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from seefood.bundle import LITERT_MODEL, Bundle
from seefood.engines.native_stderr import native_output_logged
from seefood.errors import BundleError
from seefood.imaging.decode import Pixels

if TYPE_CHECKING:
    from seefood.engines.base import Probabilities, ScoreMaps

_log = logging.getLogger(__name__)


class LiteRTEngine:
    """The bundle's `model.tflite`; `predict` may be called from any number of threads."""

    name = "litert"
    batch_size = 8

    def __init__(self, bundle: Bundle) -> None:
        """Raise `BundleError` if the bundle has no LiteRT graph, or one of another shape."""
        if not bundle.has_litert:
            raise BundleError(
                f"the bundle {bundle.path} has no {LITERT_MODEL} (its graph did not convert); "
                "use `--engine tensorflow`"
            )
        self._path = str(bundle.file(LITERT_MODEL))
        self._classes = len(bundle.labels)
        self._shape = (1, bundle.spec.rule.height, bundle.spec.rule.width, 3)
        self._local = threading.local()
        with native_output_logged():  # a process's first interpreter writes to stderr
            try:
                self._interpreter()
            except (ValueError, RuntimeError) as error:
                raise BundleError(f"LiteRT cannot load {self._path}: {error}") from error
        self._check_shapes(bundle)

    def predict(self, images: Pixels) -> "Probabilities":
        """See `Engine.predict`."""
        interpreter, source, result = self._interpreter()
        probabilities = np.empty((len(images), self._classes), dtype=np.float32)
        for index, image in enumerate(images):
            interpreter.set_tensor(source, image[np.newaxis])
            interpreter.invoke()
            probabilities[index] = interpreter.get_tensor(result)[0]
        return probabilities

    def explain(self, images: Pixels) -> "tuple[Probabilities, ScoreMaps | None]":
        """See `seefood.engines.saliency.ExplainingEngine.explain`."""
        interpreter, source, result = self._interpreter()
        outputs = interpreter.get_output_details()
        index = next((int(each["index"]) for each in outputs if len(each["shape"]) == 4), None)
        if index is None:
            return self.predict(images), None
        probabilities, maps = [], []
        for image in images:
            interpreter.set_tensor(source, image[np.newaxis])
            interpreter.invoke()
            probabilities.append(interpreter.get_tensor(result)[0])
            maps.append(interpreter.get_tensor(index)[0])
        return np.stack(probabilities), np.stack(maps)

    def _interpreter(self) -> tuple[Interpreter, int, int]:
        """Return this thread's interpreter and its input's and output's indices."""
        own = getattr(self._local, "interpreter", None)
        if own is None:
            interpreter = Interpreter(model_path=self._path, num_threads=1)
            interpreter.allocate_tensors()
            source = int(interpreter.get_input_details()[0]["index"])
            result = int(interpreter.get_output_details()[0]["index"])
            own = self._local.interpreter = (interpreter, source, result)
            _log.debug("loaded %s in thread %s", self._path, threading.current_thread().name)
        return own

    def _check_shapes(self, bundle: Bundle) -> None:
        interpreter, source, result = self._interpreter()
        for tensors, index, shape, dtype in (
            (interpreter.get_input_details(), source, self._shape, np.uint8),
            (interpreter.get_output_details(), result, (1, self._classes), np.float32),
        ):
            tensor = next(tensor for tensor in tensors if tensor["index"] == index)
            if tuple(tensor["shape"]) != shape or tensor["dtype"] is not dtype:
                raise BundleError(
                    f"{bundle.file(LITERT_MODEL)} has a tensor of {tensor['dtype'].__name__} "
                    f"{tuple(map(int, tensor['shape']))} where {dtype.__name__} {shape} is "
                    "expected; make the bundle again with `seefood package`"
                )
