"""ONNX Runtime: the bundle's ONNX graph, one thread for each call.

A session may be called from any number of threads and shares its weights among them, so two threads
that compute one picture each do not wait for one another, as with LiteRT.
"""

import sys
import threading
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from seefood.bundle import ONNX_MODEL, Bundle
from seefood.engines.adapting import GraphAdapter, Tensor
from seefood.engines.devices import CPU, CUDA, DEVICE_SIZES, device_size, memory_limit_bytes
from seefood.engines.extra_output import with_onnx_output
from seefood.engines.feature_tensor import feature_tensor
from seefood.engines.native_stderr import native_output_logged
from seefood.engines.onnxruntime_library import ort
from seefood.engines.registry import Graph
from seefood.errors import BundleError
from seefood.imaging.decode import Pixels
from seefood.sanitize import one_line

if TYPE_CHECKING:
    from seefood.engines.base import Probabilities
    from seefood.vectors import Features

_ERRORS_ONLY: Final = 3
_FATAL_ONLY: Final = 4
_CUDA_PROVIDER: Final = "CUDAExecutionProvider"
_CPU_PROVIDER: Final = "CPUExecutionProvider"


class OnnxRuntimeEngine:
    """The bundle's `model.onnx`; `predict` may be called from any number of threads."""

    name = "onnxruntime"
    batch_size = 8

    def __init__(self, bundle: Bundle, *, features: bool = False, device: str = CPU) -> None:
        """With `features`, the graph returns those that the bundle states too.

        On a CUDA `device` that ONNX Runtime cannot use it computes on the processor.
        Raises `BundleError` if the bundle has no ONNX graph, or one of another shape.
        """
        if not bundle.has_onnx:
            other = "litert" if bundle.has_litert else "tensorflow"
            raise BundleError(
                f"the bundle {bundle.path} has no {ONNX_MODEL}; use `--engine {other}`"
            )
        self._path = str(bundle.file(ONNX_MODEL))
        self._adapter = GraphAdapter(bundle)
        self._features = str(feature_tensor(bundle, Graph.ONNX)) if features else None
        content = None
        if self._features is not None:
            content = with_onnx_output(Path(self._path).read_bytes(), self._features)
        self._sessions = _Sessions(self._path, content, device, self._adapter.batch)
        self.device = self._sessions.device
        self._session = self._sessions.first
        self._input = self._session.get_inputs()[0].name
        self._output = self._output_name()
        self._check_input()

    def predict(self, images: Pixels) -> "Probabilities":
        """See `Engine.predict`."""
        prepared = self._adapter.prepare(images)
        batch = self._batch(len(images))
        scores = [
            self._adapter.finish(
                self._run(prepared[start : start + batch], batch, (self._output,))[0], batch
            )
            for start in range(0, len(images), batch)
        ]
        return np.concatenate(scores)[: len(images)]

    @property
    def has_features(self) -> bool:
        """See `FeatureEngine.has_features`."""
        return self._features is not None

    def predict_with_features(self, images: Pixels) -> "tuple[Probabilities, Features]":
        """See `FeatureEngine.predict_with_features`."""
        prepared = self._adapter.prepare(images)
        batch = self._batch(len(images))
        names = (self._output, str(self._features))
        scores, features = [], []
        for start in range(0, len(images), batch):
            output, vectors = self._run(prepared[start : start + batch], batch, names)
            scores.append(self._adapter.finish(output, batch))
            features.append(vectors.reshape(batch, -1).astype(np.float32))
        return np.concatenate(scores)[: len(images)], np.concatenate(features)[: len(images)]

    def _batch(self, pictures: int) -> int:
        """Return how many pictures one run of the graph takes."""
        if self._adapter.batch is not None:
            return self._adapter.batch
        return device_size(pictures) if self.device == CUDA else pictures

    def _run(self, pictures: Tensor, batch: int, names: tuple[str, ...]) -> list[Tensor]:
        """Return the outputs `names` for at most `batch` pictures, filled up to `batch`."""
        if len(pictures) < batch:
            missing = np.zeros((batch - len(pictures), *pictures.shape[1:]), pictures.dtype)
            pictures = np.concatenate([pictures, missing])
        source = pictures.reshape(self._adapter.shape(batch))
        return [np.asarray(each) for each in self._sessions.run(batch, names, self._input, source)]

    def _output_name(self) -> str:
        names = [str(output.name) for output in self._session.get_outputs()]
        wanted = self._adapter.output
        for position, name in enumerate(names):
            if wanted in (position, name):
                return name
        raise BundleError(f"{self._path} has no output {wanted!r}; it has {', '.join(names)}")

    def _check_input(self) -> None:
        """Raise `BundleError` if a picture of the bundle's rule is not what the graph takes."""
        (source, *others) = self._session.get_inputs()
        due = self._adapter.shape(self._adapter.batch or 1)
        fits = len(source.shape) == len(due) and all(
            size == wanted or not isinstance(size, int)
            for size, wanted in zip(source.shape, due, strict=True)
        )
        dtype = str(self._adapter.dtype)
        if others or not fits or DTYPES.get(source.type) != dtype:
            raise BundleError(
                f"{self._path} takes {source.type} {tuple(source.shape)}"
                f"{' and more' if others else ''} where {dtype} {due} is expected; "
                "make the bundle again with `seefood package`"
            )


class _Sessions:
    """The sessions of a graph: one on the processor, one for each size of a batch on a device.

    ONNX Runtime's convolutions on CUDA keep the plan that cuDNN made for the last shape, and make a
    new one whenever the shape differs from the run before (`Conv::UpdateState` in
    onnxruntime/core/providers/cuda/nn/conv.cc). So a session there computes batches of one size,
    one at a time, which also makes the memory that it takes the same each time.
    """

    def __init__(self, path: str, content: bytes | None, device: str, batch: int | None) -> None:
        """`batch` is the only size that the graph takes; None if it takes any."""
        self._path, self._content = path, content
        self._changing = threading.Lock()
        size = batch or DEVICE_SIZES[0]
        self.first = self._open(size, device)
        self.device = CUDA if _CUDA_PROVIDER in self.first.get_providers() else CPU
        self._of_size = {size: (self.first, threading.Lock())}

    def run(
        self, batch: int, names: tuple[str, ...], source: str, pictures: Tensor
    ) -> list[Tensor]:
        """Return the outputs `names` of the graph for `batch` pictures."""
        feed = {source: pictures}
        if self.device == CPU:
            return list(self.first.run(names, feed))
        session, computing = self._session(batch)
        with computing:
            return list(session.run(names, feed))

    def _session(self, batch: int) -> "tuple[ort.InferenceSession, threading.Lock]":
        with self._changing:
            if batch not in self._of_size:
                self._of_size[batch] = (self._open(batch, CUDA), threading.Lock())
            return self._of_size[batch]

    def _open(self, batch: int, device: str) -> ort.InferenceSession:
        return open_session(self._path, self._content, device, batch)


DTYPES: Final = {
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
    "tensor(uint16)": "uint16",
    "tensor(int16)": "int16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(float16)": "float16",
    "tensor(float)": "float32",
    "tensor(double)": "float64",
}
"""NumPy's names of ONNX Runtime's types."""


def open_session(
    path: str,
    content: bytes | None = None,
    device: str = CPU,
    batch: int = DEVICE_SIZES[-1],
) -> ort.InferenceSession:
    """Return the session of the ONNX file at `path`, or of the changed `content` of that file.

    What a CUDA `device` cannot compute, the processor does; `batch` bounds the memory that it takes
    there. Raises `BundleError` if the file cannot be read.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    providers: list[str | tuple[str, dict[str, object]]] = [_CPU_PROVIDER]
    if device == CUDA and _CUDA_PROVIDER in ort.get_available_providers():
        memory_bytes = memory_limit_bytes(Path(path).stat().st_size, batch)
        providers.insert(0, (_CUDA_PROVIDER, _cuda_options(memory_bytes)))
        options.log_severity_level = _FATAL_ONLY  # a batch that does not fit is halved, not shown
    try:
        with native_output_logged():
            if device == CUDA:
                _load_nvidia_libraries()
            source = path if content is None else content
            return ort.InferenceSession(source, options, providers=providers)
    except Exception as error:  # its exceptions share no base class
        reason = one_line(error, 300)
        raise BundleError(f"ONNX Runtime cannot load {path}: {reason}") from error


@cache
def _load_nvidia_libraries() -> None:
    """Load those of NVIDIA's Python packages, once: `sys.stdout` belongs to all threads.

    ONNX Runtime prints what is missing, and stdout is for data.
    """
    if hasattr(ort, "preload_dlls"):
        with redirect_stdout(sys.stderr):
            ort.preload_dlls()


def _cuda_options(memory_bytes: int) -> dict[str, object]:
    """Return the options of ONNX Runtime's CUDA provider, which takes at most `memory_bytes`.

    Its defaults try every algorithm for each batch size and double the memory that they take:
    https://onnxruntime.ai/docs/execution-providers/CUDA-ExecutionProvider.html
    """
    return {
        "device_id": 0,
        "gpu_mem_limit": memory_bytes,
        "arena_extend_strategy": "kSameAsRequested",
        "cudnn_conv_algo_search": "HEURISTIC",
        "cudnn_conv_use_max_workspace": "1",
    }
