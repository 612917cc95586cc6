"""TensorFlow: the SavedModel itself, as TF Serving would run it."""

import os
from contextlib import suppress

# Before the first import, because the C++ side reads it once. 3 hides everything but errors.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from typing import TYPE_CHECKING

import numpy as np

from seefood.bundle import Bundle
from seefood.engines.devices import CPU, CUDA, memory_limit_bytes, padded_size
from seefood.engines.feature_tensor import feature_tensor
from seefood.engines.native_stderr import native_output_logged
from seefood.engines.registry import Graph
from seefood.errors import BundleError
from seefood.imaging.decode import Pixels

if TYPE_CHECKING:
    from seefood.engines.base import Probabilities, ScoreMaps
    from seefood.vectors import Features

with native_output_logged():  # some lines are written at any log level
    import tensorflow as tf


class TensorFlowEngine:
    """The signature `serving_default` of the SavedModel; TensorFlow runs its own threads."""

    name = "tensorflow"
    batch_size = 16

    def __init__(self, bundle: Bundle, *, features: bool = False, device: str = CPU) -> None:
        """With `features`, the graph returns those that the bundle states too.

        On a CUDA `device` that TensorFlow cannot use it computes on the processor.
        Raises `BundleError` if the SavedModel is absent, unreadable or of another signature.
        """
        if not bundle.has_saved_model:
            other = "litert" if bundle.has_litert else "onnxruntime"
            raise BundleError(
                f"the bundle {bundle.path} comes without its SavedModel; use `--engine {other}`"
            )
        self.device = CUDA if device == CUDA and _claim_cuda(bundle) else CPU
        self._place = "/GPU:0" if self.device == CUDA else "/CPU:0"
        try:
            # Kept, because the signature refers to variables that the loaded object owns.
            with tf.device(self._place):
                self._model = tf.saved_model.load(str(bundle.path))
            self._signature = self._model.signatures["serving_default"]
        except Exception as error:
            raise BundleError(
                f"TensorFlow cannot load the SavedModel {bundle.path}: {error}"
            ) from error
        (self._input,) = self._signature.structured_input_signature[1]
        (self._output,) = self._signature.structured_outputs
        self._with_features = None
        if features:
            tensor = str(feature_tensor(bundle, Graph.SAVED_MODEL))
            feeds = self._signature.inputs[0]
            fetches = [self._signature.outputs[0], self._signature.graph.get_tensor_by_name(tensor)]
            self._with_features = self._signature.prune(feeds, fetches)

    def predict(self, images: Pixels) -> "Probabilities":
        """See `Engine.predict`."""
        with tf.device(self._place):
            outputs = self._signature(**{self._input: tf.constant(self._padded(images))})
        return np.asarray(outputs[self._output].numpy(), dtype=np.float32)[: len(images)]

    @property
    def has_features(self) -> bool:
        """See `FeatureEngine.has_features`."""
        return self._with_features is not None

    def predict_with_features(self, images: Pixels) -> "tuple[Probabilities, Features]":
        """See `FeatureEngine.predict_with_features`."""
        assert self._with_features is not None  # noqa: S101 (it was loaded with features)
        padded, count = self._padded(images), len(images)
        with tf.device(self._place):
            probabilities, features = self._with_features(tf.constant(padded))
        return (
            np.asarray(probabilities.numpy(), dtype=np.float32)[:count],
            np.asarray(features.numpy(), dtype=np.float32).reshape(len(padded), -1)[:count],
        )

    def explain(self, images: Pixels) -> "tuple[Probabilities, ScoreMaps | None]":
        """See `seefood.engines.saliency.ExplainingEngine.explain`."""
        signature = self._model.signatures.get("explain")
        if signature is None:
            return self.predict(images), None
        with tf.device(self._place):
            outputs = signature(**{self._input: tf.constant(images)})
        return outputs["probabilities"].numpy(), outputs["score_maps"].numpy()

    def _padded(self, images: Pixels) -> Pixels:
        """Return `images`; on a device, filled up with black ones to one of few batch sizes."""
        missing = padded_size(len(images)) - len(images) if self.device == CUDA else 0
        if not missing:
            return images
        return np.concatenate([images, np.zeros((missing, *images.shape[1:]), images.dtype)])


def _claim_cuda(bundle: Bundle) -> bool:
    """Limit TensorFlow's memory on the first CUDA device; False if it sees none."""
    devices = tf.config.list_physical_devices("GPU")
    if not devices or not tf.test.is_built_with_cuda():
        return False
    graph_bytes = sum(file.stat().st_size for file in bundle.path.rglob("*") if file.is_file())
    limit = tf.config.LogicalDeviceConfiguration(memory_limit=memory_limit_bytes(graph_bytes) >> 20)
    with suppress(RuntimeError):  # TensorFlow was used before in this process: it keeps what it has
        tf.config.set_logical_device_configuration(devices[0], [limit])
    return True
