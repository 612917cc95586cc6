"""ONNX Runtime: the bundle's ONNX graph, one thread for each call.

A session may be called from any number of threads and shares its weights among them, so two threads
that compute one picture each do not wait for one another, as with LiteRT.
"""

from typing import TYPE_CHECKING, Final

import numpy as np
import onnxruntime as ort

from seefood.bundle import ONNX_MODEL, Bundle
from seefood.engines.adapting import GraphAdapter, Tensor
from seefood.engines.native_stderr import native_output_logged
from seefood.errors import BundleError
from seefood.imaging.decode import Pixels

if TYPE_CHECKING:
    from seefood.engines.base import Probabilities

_ERRORS_ONLY: Final = 3


class OnnxRuntimeEngine:
    """The bundle's `model.onnx`; `predict` may be called from any number of threads."""

    name = "onnxruntime"
    batch_size = 8

    def __init__(self, bundle: Bundle) -> None:
        """Raise `BundleError` if the bundle has no ONNX graph, or one of another shape."""
        if not bundle.has_onnx:
            other = "litert" if bundle.has_litert else "tensorflow"
            raise BundleError(
                f"the bundle {bundle.path} has no {ONNX_MODEL}; use `--engine {other}`"
            )
        self._path = str(bundle.file(ONNX_MODEL))
        self._adapter = GraphAdapter(bundle)
        self._session = open_session(self._path)
        self._input = self._session.get_inputs()[0].name
        self._output = self._output_name()
        self._check_input()

    def predict(self, images: Pixels) -> "Probabilities":
        """See `Engine.predict`."""
        prepared = self._adapter.prepare(images)
        batch = self._adapter.batch or len(images)
        scores = [
            self._adapter.finish(self._run(prepared[start : start + batch], batch), batch)
            for start in range(0, len(images), batch)
        ]
        return np.concatenate(scores)[: len(images)]

    def _run(self, pictures: Tensor, batch: int) -> Tensor:
        """Return the output for at most `batch` prepared pictures, filled up to `batch`."""
        if len(pictures) < batch:
            missing = np.zeros((batch - len(pictures), *pictures.shape[1:]), pictures.dtype)
            pictures = np.concatenate([pictures, missing])
        source = pictures.reshape(self._adapter.shape(batch))
        (output,) = self._session.run([self._output], {self._input: source})
        return np.asarray(output)

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


def open_session(path: str) -> ort.InferenceSession:
    """Return the session of the ONNX file at `path`. Raises `BundleError` if it cannot be read."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    try:
        with native_output_logged():
            return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions share no base class
        reason = " ".join(str(error).split())[:300]
        raise BundleError(f"ONNX Runtime cannot load {path}: {reason}") from error
