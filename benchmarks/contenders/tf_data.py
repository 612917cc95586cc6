"""tf.data and the SavedModel, as in TensorFlow's guide to input pipelines."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from typing import Any

import tensorflow as tf

from benchmarks.contenders.rows import Row, write_rows
from benchmarks.job import Job, read_job, timed


def main(job: Job) -> None:
    """Read and decode in parallel, infer in batches, write."""

    def load(path: Any) -> tuple[Any, Any]:
        image = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
        resized = tf.image.resize(image, (job.side, job.side), antialias=True)
        return path, tf.cast(tf.clip_by_value(resized, 0.0, 255.0), tf.uint8)

    rows: list[Row] = []
    with timed(job):
        model = tf.saved_model.load(job.saved_model).signatures["serving_default"]
        dataset = (
            tf.data.Dataset.from_tensor_slices(list(job.pictures))
            .map(load, num_parallel_calls=tf.data.AUTOTUNE)
            .batch(32)
            .prefetch(tf.data.AUTOTUNE)
        )
        for paths, images in dataset:
            (outputs,) = model(image=images).values()
            for path, probabilities in zip(paths.numpy(), outputs.numpy(), strict=True):
                best = int(probabilities.argmax())
                rows.append((path.decode(), job.labels[best], float(probabilities[best])))
        write_rows(job, rows)


if __name__ == "__main__":
    main(read_job())
