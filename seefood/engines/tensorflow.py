"""TensorFlow: the SavedModel itself, as TF Serving would run it."""

import os

# Before the first import, because the C++ side reads it once. 3 hides everything but errors.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from typing import TYPE_CHECKING

import numpy as np

from seefood.bundle import Bundle
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

    def __init__(self, bundle: Bundle, *, features: bool = False) -> None:
        """With `features`, the graph returns those that the bundle states too.

        Raises `BundleError` if the SavedModel is absent, unreadable or of another signature.
        """
        if not bundle.has_saved_model:
            other = "litert" if bundle.has_litert else "onnxruntime"
            raise BundleError(
                f"the bundle {bundle.path} comes without its SavedModel; use `--engine {other}`"
            )
        try:
            # Kept, because the signature refers to variables that the loaded object owns.
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
        outputs = self._signature(**{self._input: tf.constant(images)})
        return np.asarray(outputs[self._output].numpy(), dtype=np.float32)

    @property
    def has_features(self) -> bool:
        """See `FeatureEngine.has_features`."""
        return self._with_features is not None

    def predict_with_features(self, images: Pixels) -> "tuple[Probabilities, Features]":
        """See `FeatureEngine.predict_with_features`."""
        assert self._with_features is not None  # noqa: S101 (it was loaded with features)
        probabilities, features = self._with_features(tf.constant(images))
        return (
            np.asarray(probabilities.numpy(), dtype=np.float32),
            np.asarray(features.numpy(), dtype=np.float32).reshape(len(images), -1),
        )

    def explain(self, images: Pixels) -> "tuple[Probabilities, ScoreMaps | None]":
        """See `seefood.engines.saliency.ExplainingEngine.explain`."""
        signature = self._model.signatures.get("explain")
        if signature is None:
            return self.predict(images), None
        outputs = signature(**{self._input: tf.constant(images)})
        return outputs["probabilities"].numpy(), outputs["score_maps"].numpy()
