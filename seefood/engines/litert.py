"""LiteRT: the bundle's tflite graph on XNNPACK, one single-threaded interpreter for each thread.

Two threads with an interpreter each classify more pictures a second than one interpreter with two
threads, because neither waits for the other; the weights are mapped from the file and shared.
"""

import logging
import math
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from seefood.bundle import LITERT_MODEL, Bundle
from seefood.engines.adapting import GraphAdapter
from seefood.engines.extra_output import with_litert_output
from seefood.engines.feature_tensor import feature_tensor
from seefood.engines.native_stderr import native_output_logged
from seefood.engines.registry import Graph
from seefood.errors import BundleError
from seefood.imaging.decode import Pixels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from seefood.engines.base import Probabilities, ScoreMaps
    from seefood.vectors import Features

_log = logging.getLogger(__name__)


class LiteRTEngine:
    """The bundle's `model.tflite`; `predict` may be called from any number of threads."""

    name = "litert"
    batch_size = 8

    def __init__(self, bundle: Bundle, *, features: bool = False) -> None:
        """With `features`, the graph returns those that the bundle states too.

        Raises `BundleError` if the bundle has no LiteRT graph, or one of another shape.
        """
        if not bundle.has_litert:
            raise BundleError(
                f"the bundle {bundle.path} has no {LITERT_MODEL} (its graph did not convert); "
                f"use `--engine {'onnxruntime' if bundle.has_onnx else 'tensorflow'}`"
            )
        self._path = str(bundle.file(LITERT_MODEL))
        self._adapter = GraphAdapter(bundle)
        self._shape = self._adapter.shape(1)
        self._has_score_maps = bundle.spec.adapter is None
        self._features = feature_tensor(bundle, Graph.LITERT) if features else None
        self._content = None
        if isinstance(self._features, int):
            self._content = with_litert_output(Path(self._path).read_bytes(), self._features)
        self._local = threading.local()
        with native_output_logged():  # a process's first interpreter writes to stderr
            try:
                self._interpreter()
            except (ValueError, RuntimeError) as error:
                raise BundleError(f"LiteRT cannot load {self._path}: {error}") from error
        self._check_tensors()

    def predict(self, images: Pixels) -> "Probabilities":
        """See `Engine.predict`."""
        interpreter, source, result = self._interpreter()
        scores = []
        for picture in self._adapter.prepare(images):
            interpreter.set_tensor(source, picture.reshape(self._shape))
            interpreter.invoke()
            scores.append(interpreter.get_tensor(result))
        return self._adapter.finish(np.stack(scores), len(images))

    @property
    def has_features(self) -> bool:
        """See `FeatureEngine.has_features`."""
        return self._features is not None

    def predict_with_features(self, images: Pixels) -> "tuple[Probabilities, Features]":
        """See `FeatureEngine.predict_with_features`."""
        interpreter, source, result = self._interpreter()
        scores, features = [], []
        for picture in self._adapter.prepare(images):
            interpreter.set_tensor(source, picture.reshape(self._shape))
            interpreter.invoke()
            scores.append(interpreter.get_tensor(result))
            features.append(interpreter.get_tensor(self._features))
        stored = np.stack(features).reshape(len(images), -1)
        return self._adapter.finish(np.stack(scores), len(images)), self._real(stored)

    def _real(self, stored: "NDArray[np.generic]") -> "Features":
        """Return features as real numbers; an integer network's are stored as integers."""
        if stored.dtype.kind == "f":
            return stored.astype(np.float32, copy=False)
        interpreter, _, _ = self._interpreter()
        tensors = interpreter.get_output_details()
        tensor = next(tensor for tensor in tensors if tensor["index"] == self._features)
        scale, zero_point = tensor["quantization"]
        return np.asarray((stored.astype(np.float32) - zero_point) * np.float32(scale), np.float32)

    def explain(self, images: Pixels) -> "tuple[Probabilities, ScoreMaps | None]":
        """See `seefood.engines.saliency.ExplainingEngine.explain`."""
        interpreter, source, result = self._interpreter()
        outputs = interpreter.get_output_details() if self._has_score_maps else ()
        shown = (each for each in outputs if len(each["shape"]) == 4)
        index = next((int(at) for each in shown if (at := each["index"]) != self._features), None)
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
            model: dict[str, Any] = {"model_path": self._path}
            if self._content is not None:
                model = {"model_content": self._content}
            interpreter, source = open_interpreter(model, self._shape)
            result = output_index(interpreter, self._adapter.output)
            own = self._local.interpreter = (interpreter, source, result)
            _log.debug("loaded %s in thread %s", self._path, threading.current_thread().name)
        return own

    def _check_tensors(self) -> None:
        """Raise `BundleError` if the graph's tensors are not those that the bundle describes."""
        interpreter, source, result = self._interpreter()
        due_input = (self._adapter.dtype, self._shape)
        due_output = (np.dtype(np.float32), (1, self._adapter.columns))
        for tensors, index, (dtype, shape) in (
            (interpreter.get_input_details(), source, due_input),
            (interpreter.get_output_details(), result, due_output),
        ):
            tensor = next(tensor for tensor in tensors if tensor["index"] == index)
            actual = tuple(map(int, tensor["shape"]))
            is_due = actual == shape and tensor["dtype"] == dtype
            if not self._has_score_maps and index == result:  # an adapter takes any shape and type
                is_due = math.prod(actual) == self._adapter.columns
            if not is_due:
                raise BundleError(
                    f"{self._path} has a tensor of {tensor['dtype'].__name__} {actual} where "
                    f"{dtype} {shape} is expected; make the bundle again with `seefood package`"
                )


def open_interpreter(
    model: "Mapping[str, Any]", shape: tuple[int, ...], **options: Any
) -> tuple[Interpreter, int]:
    """Return the interpreter of `model` for an input of `shape`, and the input's index.

    `model` is `{"model_path": path}` or `{"model_content": bytes}`.

    Dimensions that the file leaves open, and the number of pictures, become those of `shape`.
    """
    interpreter = Interpreter(**model, num_threads=1, **options)
    source = interpreter.get_input_details()[0]
    index, stated = int(source["index"]), tuple(map(int, source["shape"]))
    open_shape = source["shape_signature"] if len(source["shape_signature"]) else stated
    if stated != shape and len(open_shape) == len(shape):
        is_open = all(
            size in (-1, due) or axis == 0
            for axis, (size, due) in enumerate(zip(open_shape, shape, strict=True))
        )
        if is_open:
            interpreter.resize_tensor_input(index, shape)
    interpreter.allocate_tensors()
    return interpreter, index


def output_index(interpreter: Interpreter, wanted: int | str) -> int:
    """Return the index of the tensor of scores. Raises `ValueError` if there is none."""
    outputs = interpreter.get_output_details()
    for position, output in enumerate(outputs):
        if wanted in (position, output["name"]):
            return int(output["index"])
    names = ", ".join(output["name"] for output in outputs)
    raise ValueError(f"it has no output {wanted!r}; it has {names}")
