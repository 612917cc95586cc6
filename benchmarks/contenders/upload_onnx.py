"""An upload handler with boto3, Pillow and onnxruntime."""

import os
from typing import Any

import onnxruntime as ort

from benchmarks.contenders.upload_event import label_event, label_picture

_MODEL = ort.InferenceSession(os.environ["MODEL"], providers=["CPUExecutionProvider"])


def _predict(pixels: Any) -> Any:
    return _MODEL.run(["probabilities"], {"image": pixels})[0][0]


def label(data: bytes) -> tuple[str, float]:
    """Return the label of the picture in `data`, and its probability."""
    return label_picture(data, _predict)


def handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """Label each object of an S3 event and write a JSON row for each."""
    del context
    return label_event(event, _predict)
