"""Features of many photos from a network that is not trained any more, computed by LiteRT.

On a processor without bfloat16 LiteRT takes less than half of TensorFlow's time for a MobileNet or
an EfficientNet-Lite. What LiteRT cannot convert, and a few photos, TensorFlow computes.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from seefood.engines.native_stderr import native_output_logged
from seefood.imaging.decode import Pixels
from seefood_training.convert import to_litert
from seefood_training.fit_types import Floats
from seefood_training.graph_freezing import freeze
from seefood_training.linear_probe import Features, read_features

_log = logging.getLogger(__name__)

_FEW: Final = 60
"""Photos for which a conversion takes longer than it saves."""
_THREADS: Final = 2

Extract = Callable[[Pixels], Features]


def extractor(model: keras.Model, photos: int) -> Extract:
    """Return a function from uint8 pixels `(n, h, w, 3)` to their features, for `photos` in all."""
    if photos > _FEW:
        try:
            flat = _converted(model)
        except Exception as error:  # noqa: BLE001 (the converter raises any exception; TensorFlow runs every network)
            _log.info("LiteRT cannot run %s, TensorFlow does: %s", model.name, error)
        else:
            return _Interpreters(flat)
    return lambda pixels: read_features(model, pixels)


class _Interpreters:
    """One interpreter for each thread."""

    def __init__(self, flat: bytes) -> None:
        self._flat, self._local = flat, threading.local()

    def __call__(self, pixels: Pixels) -> Features:
        with native_output_logged(), ThreadPoolExecutor(_THREADS) as threads:
            both = np.asarray(list(threads.map(self._both, pixels)), np.float32)
        return Features(np.swapaxes(both, 0, 1))

    def _both(self, photo: Pixels) -> NDArray[np.float32]:
        return np.stack([self._one(photo), self._one(photo[:, ::-1])])

    def _one(self, photo: Pixels) -> Floats:
        if not hasattr(self._local, "interpreter"):
            self._local.interpreter = Interpreter(model_content=self._flat, num_threads=1)
            self._local.interpreter.allocate_tensors()
        interpreter = self._local.interpreter
        source = interpreter.get_input_details()[0]["index"]
        interpreter.set_tensor(source, np.ascontiguousarray(photo[np.newaxis]))
        interpreter.invoke()
        return np.array(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])


def _converted(model: keras.Model) -> bytes:
    features = keras.Model(model.input, model.get_layer("logits").input)
    height, width = model.input.shape[1:3]

    def compute(image: Any) -> Any:
        return features(tf.cast(image, tf.float32), training=False)

    pictures = tf.TensorSpec((None, height, width, 3), tf.uint8, name="image")
    frozen = freeze(tf.function(compute).get_concrete_function(pictures), ["features"])
    return to_litert(frozen, (height, width), ["features"], "float32")
