"""Apache Beam's RunInference as in its image examples: read, preprocess, infer, write.

Beam's own TFModelHandler cannot load a SavedModel with Keras 3 (apache/beam#30616), so this module
has a minimal handler. FnApiRunner is the runner that Beam falls back to on one machine.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Iterable, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf
from apache_beam.io.filesystems import FileSystems
from apache_beam.ml.inference.base import (
    KeyedModelHandler,
    ModelHandler,
    PredictionResult,
    RunInference,
)
from PIL import Image

from benchmarks.job import Job, read_job, timed

SCHEMA = pa.schema([("uri", pa.string()), ("label", pa.string()), ("score", pa.float32())])


class SavedModelHandler(ModelHandler[Any, PredictionResult, Any]):
    """Runs the serving signature of a SavedModel."""

    def __init__(self, uri: str) -> None:
        super().__init__()
        self._uri = uri

    def load_model(self) -> Any:
        """Load the SavedModel; returns an object, because Beam keeps a weak reference to it."""
        return tf.saved_model.load(self._uri)

    def run_inference(
        self, batch: Sequence[Any], model: Any, inference_args: dict[str, Any] | None = None
    ) -> Iterable[PredictionResult]:
        """Infer a batch."""
        del inference_args
        outputs = model.signatures["serving_default"](image=tf.stack(batch))
        (probabilities,) = outputs.values()
        return [PredictionResult(*pair) for pair in zip(batch, probabilities.numpy(), strict=True)]


def read_image(path: str) -> tuple[str, Image.Image]:
    """Read a picture."""
    with FileSystems.open(path) as stream:
        return path, Image.open(stream).convert("RGB")


def preprocess(image: Image.Image, side: int) -> Any:
    """Return the network's input."""
    resized = image.resize((side, side), Image.Resampling.BILINEAR)
    return tf.convert_to_tensor(np.asarray(resized))


def postprocess(keyed: tuple[str, PredictionResult], labels: Sequence[str]) -> dict[str, Any]:
    """Return a row."""
    path, prediction = keyed
    best = int(np.argmax(prediction.inference))
    return {"uri": path, "label": labels[best], "score": float(prediction.inference[best])}


def main(job: Job) -> None:
    """Build and run the pipeline."""
    handler = KeyedModelHandler(SavedModelHandler(job.saved_model))
    with timed(job), beam.Pipeline(runner="FnApiRunner") as pipeline:
        _ = (
            pipeline
            | "Paths" >> beam.Create(job.pictures)
            | "Read" >> beam.Map(read_image)
            | "Preprocess" >> beam.MapTuple(lambda path, image: (path, preprocess(image, job.side)))
            | "Infer" >> RunInference(handler)
            | "Postprocess" >> beam.Map(postprocess, job.labels)
            | "Write"
            >> beam.io.WriteToParquet(f"{job.output}/rows", SCHEMA, file_name_suffix=".parquet")
        )


if __name__ == "__main__":
    main(read_job())
