"""Keras: `predict` over `image_dataset_from_directory`, the SavedModel in a TFSMLayer."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

from benchmarks.contenders.rows import write_rows
from benchmarks.job import Job, read_job, timed


def main(job: Job) -> None:
    """Read, decode and classify with Keras."""
    shape = (job.side, job.side, 3)
    pixels = keras.Input(shape, dtype="uint8")
    with timed(job):
        layer = keras.layers.TFSMLayer(job.saved_model, call_endpoint="serving_default")
        model = keras.Model(pixels, layer(pixels))
        dataset = keras.utils.image_dataset_from_directory(
            job.source, labels=None, image_size=shape[:2], shuffle=False, verbose=False
        )
        images = dataset.map(lambda image: tf.cast(image, tf.uint8), tf.data.AUTOTUNE)
        outputs = model.predict(images.prefetch(tf.data.AUTOTUNE), verbose=0)
        (probabilities,) = outputs.values() if isinstance(outputs, dict) else (outputs,)
        best = probabilities.argmax(axis=1)
        write_rows(
            job,
            [
                (path, job.labels[at], float(row[at]))
                for path, at, row in zip(dataset.file_paths, best, probabilities, strict=True)
            ],
        )


if __name__ == "__main__":
    main(read_job())
