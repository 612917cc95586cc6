"""An upload handler with boto3, Pillow and TensorFlow, as usually written.

Loads the network when the environment starts and uses all cores.
"""

import os
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from benchmarks.contenders.upload_event import label_event, label_picture

_MODEL = tf.saved_model.load(os.environ["MODEL"])
_PREDICT = _MODEL.signatures["serving_default"]


def _predict(pixels: Any) -> Any:
    (probabilities,) = _PREDICT(image=tf.constant(pixels)).values()
    return probabilities[0].numpy()


def label(data: bytes) -> tuple[str, float]:
    """Return the label of the picture in `data`, and its probability."""
    return label_picture(data, _predict)


def handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """Label each object of an S3 event and write a JSON row for each."""
    del context
    return label_event(event, _predict)
