"""One picture through the SavedModel, as in a short TensorFlow script."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import sys

import tensorflow as tf

from benchmarks.job import Job, read_job


def main(job: Job) -> None:
    """Print the picture's label."""
    model = tf.saved_model.load(job.saved_model)
    image = tf.io.decode_jpeg(tf.io.read_file(job.pictures[0]), channels=3)
    pixels = tf.cast(tf.image.resize(image, (job.side, job.side)), tf.uint8)
    (probabilities,) = model.signatures["serving_default"](image=pixels[None]).values()
    sys.stdout.write(f"{job.labels[int(probabilities[0].numpy().argmax())]}\n")


if __name__ == "__main__":
    main(read_job())
