"""TensorFlow: the SavedModel itself, as TF Serving would run it. The only place that imports it."""

import os

# Before the first import: the C++ side reads these once. 3 hides all but errors.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from seefood.bundle import Bundle
from seefood.engines.native_stderr import native_output_logged
from seefood.errors import BundleError
from seefood.imaging.decode import Pixels

with native_output_logged():  # some lines are written whatever the level
    import tensorflow as tf


class TensorFlowEngine:
    """The signature `serving_default` of the SavedModel; TensorFlow runs its own threads."""

    name = "tensorflow"
    batch_size = 16

    def __init__(self, bundle: Bundle) -> None:
        """Raise `BundleError` if the SavedModel is absent, unreadable or of another signature."""
        if not bundle.has_saved_model:
            raise BundleError(
                f"the bundle {bundle.path} comes without its SavedModel; use `--engine litert`"
            )
        try:
            # Kept: the signature refers to variables that the loaded object owns.
            self._model = tf.saved_model.load(str(bundle.path))
            self._signature = self._model.signatures["serving_default"]
        except Exception as error:
            raise BundleError(
                f"TensorFlow cannot load the SavedModel {bundle.path}: {error}"
            ) from error
        (self._input,) = self._signature.structured_input_signature[1]
        (self._output,) = self._signature.structured_outputs

    def predict(self, images: Pixels) -> "np.typing.NDArray[np.float32]":
        """See `seefood.engines.Engine.predict`."""
        answer = self._signature(**{self._input: tf.constant(images)})
        return np.asarray(answer[self._output].numpy(), dtype=np.float32)

    def explain(
        self, images: Pixels
    ) -> "tuple[np.typing.NDArray[np.float32], np.typing.NDArray[np.float32] | None]":
        """See `seefood.engines.litert.LiteRTEngine.explain`."""
        signature = self._model.signatures.get("explain")
        if signature is None:
            return self.predict(images), None
        answer = signature(**{self._input: tf.constant(images)})
        return answer["probabilities"].numpy(), answer["score_maps"].numpy()
