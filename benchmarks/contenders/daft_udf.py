"""Daft as in its image guide: download, decode, resize, a class that infers, write."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("DAFT_ANALYTICS_ENABLED", "0")  # no telemetry
os.environ.setdefault("DO_NOT_TRACK", "true")

from typing import Any

import daft
import numpy as np
import tensorflow as tf
from daft import DataType, col
from daft.functions import decode_image, download, resize

from benchmarks.job import Job, read_job, timed


def main(job: Job) -> None:
    """Build and run the plan."""
    result_type = DataType.struct({"label": DataType.string(), "score": DataType.float32()})

    class ChunkClassifier:
        def __init__(self) -> None:
            self._model = tf.saved_model.load(job.saved_model)

        def __call__(self, images: Any) -> list[dict[str, Any]]:
            batch = tf.constant(np.stack(images.to_pylist()))
            (probabilities,) = self._model.signatures["serving_default"](image=batch).values()
            return [
                {"label": job.labels[int(row.argmax())], "score": float(row.max())}
                for row in probabilities.numpy()
            ]

    classify: Any = daft.udf(return_dtype=result_type, batch_size=32)(ChunkClassifier)
    with timed(job):
        frame = daft.from_glob_path(f"{job.source}/**")
        image = decode_image(download(col("path")), mode="RGB")
        small = frame.with_column("image", resize(image, job.side, job.side))
        rows = small.with_column("result", classify(col("image")))
        rows.select(
            col("path").alias("uri"),
            col("result").get("label").alias("label"),
            col("result").get("score").alias("score"),
        ).write_parquet(job.output)


if __name__ == "__main__":
    main(read_job())
