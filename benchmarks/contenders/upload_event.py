"""The part that the peers' upload handlers share, as usually written: boto3 and Pillow."""

import json
import os
from collections.abc import Callable
from io import BytesIO
from typing import Any
from urllib.parse import unquote_plus

import boto3
import numpy as np
from PIL import Image, ImageOps

_S3 = boto3.client("s3")
_LABELS = os.environ["LABELS"].split(",")
_SIDE = int(os.environ["SIDE"])

Predict = Callable[[Any], Any]
"""From uint8 RGB of shape `(1, side, side, 3)` to probabilities of shape `(classes,)`."""


def label_picture(data: bytes, predict: Predict) -> tuple[str, float]:
    """Return the label of the picture in `data`, and its probability."""
    image = ImageOps.exif_transpose(Image.open(BytesIO(data))).convert("RGB")
    pixels = np.asarray(image.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR))
    probabilities = predict(pixels[np.newaxis])
    best = int(probabilities.argmax())
    return _LABELS[best], float(probabilities[best])


def label_event(event: dict[str, Any], predict: Predict) -> dict[str, int]:
    """Label each object of an S3 event and write a JSON row for each."""
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = unquote_plus(record["s3"]["object"]["key"])
        data = _S3.get_object(Bucket=bucket, Key=key)["Body"].read()
        name, score = label_picture(data, predict)
        row = json.dumps({"key": key, "label": name, "score": score})
        _S3.put_object(Bucket=os.environ["RESULTS"], Key=f"{key}.json", Body=row)
    return {"labelled": len(event["Records"])}
