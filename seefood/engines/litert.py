"""LiteRT: the bundle's tflite graph on XNNPACK, a single-threaded interpreter for each thread.

Two threads with an interpreter each classify more pictures a second than one interpreter with two
threads, because nothing waits; the weights are mapped from the file and shared.
"""

import logging
import threading

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from seefood.bundle import LITERT_MODEL, Bundle
from seefood.engines.native_stderr import native_output_logged
from seefood.errors import BundleError
from seefood.imaging.decode import Pixels

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
        with native_output_logged():  # the first interpreter of a process announces itself
            try:
                self._interpreter()
            except (ValueError, RuntimeError) as error:
                raise BundleError(f"LiteRT cannot load {self._path}: {error}") from error
        self._check_shapes(bundle)

    def predict(self, images: Pixels) -> "np.typing.NDArray[np.float32]":
        """See `seefood.engines.Engine.predict`."""
        interpreter, source, result = self._interpreter()
        answers = np.empty((len(images), self._classes), dtype=np.float32)
        for index, image in enumerate(images):
            interpreter.set_tensor(source, image[np.newaxis])
            interpreter.invoke()
            answers[index] = interpreter.get_tensor(result)[0]
        return answers

    def explain(
        self, images: Pixels
    ) -> "tuple[np.typing.NDArray[np.float32], np.typing.NDArray[np.float32] | None]":
        """Return what `predict` does, and each place's share of each class's score.

        The maps are float32 of shape `(n, rows, columns, classes)`; None if the bundle has none.
        """
        interpreter, source, result = self._interpreter()
        outputs = interpreter.get_output_details()
        index = next((int(each["index"]) for each in outputs if len(each["shape"]) == 4), None)
        if index is None:
            return self.predict(images), None
        answers, maps = [], []
        for image in images:
            interpreter.set_tensor(source, image[np.newaxis])
            interpreter.invoke()
            answers.append(interpreter.get_tensor(result)[0])
            maps.append(interpreter.get_tensor(index)[0])
        return np.stack(answers), np.stack(maps)

    def _interpreter(self) -> tuple[Interpreter, int, int]:
        """Return this thread's interpreter and its input's and output's indices."""
        mine = getattr(self._local, "interpreter", None)
        if mine is None:
            interpreter = Interpreter(model_path=self._path, num_threads=1)
            interpreter.allocate_tensors()
            source = int(interpreter.get_input_details()[0]["index"])
            result = int(interpreter.get_output_details()[0]["index"])
            mine = self._local.interpreter = (interpreter, source, result)
            _log.debug("loaded %s in thread %s", self._path, threading.current_thread().name)
        return mine

    def _check_shapes(self, bundle: Bundle) -> None:
        interpreter, source, result = self._interpreter()
        for details, index, shape, dtype in (
            (interpreter.get_input_details(), source, self._shape, np.uint8),
            (interpreter.get_output_details(), result, (1, self._classes), np.float32),
        ):
            found = next(detail for detail in details if detail["index"] == index)
            if tuple(found["shape"]) != shape or found["dtype"] is not dtype:
                raise BundleError(
                    f"{bundle.file(LITERT_MODEL)} has a tensor of {found['dtype'].__name__} "
                    f"{tuple(map(int, found['shape']))} where {dtype.__name__} {shape} is due; "
                    "make the bundle again with `seefood package`"
                )
