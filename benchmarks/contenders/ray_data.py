"""Ray Data's batch inference as in its image guide: read_images, map_batches, write."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no telemetry

from typing import Any

import ray

from benchmarks.job import Job, read_job, timed


class ChunkClassifier:
    """Loads the SavedModel once in its actor."""

    def __init__(self, bundle: str, labels: tuple[str, ...]) -> None:
        import tensorflow as tf  # noqa: PLC0415 (in the actor's process)

        self._tf = tf
        self._model = tf.saved_model.load(bundle)
        self._labels = labels

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Infer a batch."""
        images = self._tf.constant(batch["image"])
        (probabilities,) = self._model.signatures["serving_default"](image=images).values()
        scores = probabilities.numpy()
        return {
            "uri": batch["path"],
            "label": [self._labels[at] for at in scores.argmax(axis=1)],
            "score": scores.max(axis=1),
        }


def main(job: Job) -> None:
    """Build and run the plan. Ray starts before the timed block, like imports."""
    ray.init(
        num_cpus=job.threads,
        include_dashboard=False,
        log_to_driver=False,
        _node_ip_address="127.0.0.1",
    )
    ray.data.DataContext.get_current().enable_progress_bars = False
    with timed(job):
        images = ray.data.read_images(
            job.source, size=(job.side, job.side), mode="RGB", include_paths=True
        )
        rows = images.map_batches(
            ChunkClassifier,
            fn_constructor_args=(job.saved_model, job.labels),
            batch_size=32,
            compute=ray.data.ActorPoolStrategy(size=1),
        )
        rows.write_parquet(job.output)
    ray.shutdown()


if __name__ == "__main__":
    main(read_job())
