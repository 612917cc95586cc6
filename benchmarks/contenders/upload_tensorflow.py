"""The upload door as it is usually written: boto3, Pillow and TensorFlow in one handler.

One network loaded when the environment starts, one thread per core, nothing wasted on purpose.
"""

import json
import os
from io import BytesIO
from typing import Any
from urllib.parse import unquote_plus

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import boto3
import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps

_S3 = boto3.client("s3")
_MODEL = tf.saved_model.load(os.environ["MODEL"])
_PREDICT = _MODEL.signatures["serving_default"]
_LABELS = os.environ["LABELS"].split(",")
_SIDE = int(os.environ["SIDE"])


def label(data: bytes) -> tuple[str, float]:
    """Return the label of the picture in `data`, and its probability."""
    image = ImageOps.exif_transpose(Image.open(BytesIO(data))).convert("RGB")
    pixels = np.asarray(image.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR))
    (answers,) = _PREDICT(image=tf.constant(pixels[np.newaxis])).values()
    probabilities = answers[0].numpy()
    best = int(probabilities.argmax())
    return _LABELS[best], float(probabilities[best])


def handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """Label each object of an S3 event and write the answer as JSON."""
    del context
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = unquote_plus(record["s3"]["object"]["key"])
        name, score = label(_S3.get_object(Bucket=bucket, Key=key)["Body"].read())
        row = json.dumps({"key": key, "label": name, "score": score})
        _S3.put_object(Bucket=os.environ["RESULTS"], Key=f"{key}.json", Body=row)
    return {"labelled": len(event["Records"])}
