"""RunInference, tuned: all cores, large batches, scaled decoding."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import apache_beam as beam
import tensorflow as tf
from apache_beam.ml.inference.base import KeyedModelHandler, RunInference
from apache_beam.options.pipeline_options import PipelineOptions

from benchmarks.contenders.bare_loop import decode
from benchmarks.contenders.beam_naive import SCHEMA, SavedModelHandler, postprocess
from benchmarks.job import Job, read_job, timed


class Batched(SavedModelHandler):
    """Batches of 32."""

    def batch_elements_kwargs(self) -> Mapping[str, int]:
        """See Beam."""
        return {"min_batch_size": 32, "max_batch_size": 32}


def read_decoded(path: str, side: int) -> tuple[str, Any]:
    """Read a picture and decode it at a fraction of its size."""
    return path, tf.convert_to_tensor(decode(Path(path).read_bytes(), side))


def main(job: Job) -> None:
    """Build and run the pipeline."""
    handler = KeyedModelHandler(Batched(job.saved_model))
    options = PipelineOptions(
        runner="FnApiRunner",
        direct_num_workers=job.threads,
        direct_running_mode="multi_threading",
    )
    with timed(job), beam.Pipeline(options=options) as pipeline:
        _ = (
            pipeline
            | "Paths" >> beam.Create(job.pictures)
            | "Spread" >> beam.Reshuffle()
            | "Read and decode" >> beam.Map(read_decoded, job.side)
            | "Infer" >> RunInference(handler)
            | "Postprocess" >> beam.Map(postprocess, job.labels)
            | "Write"
            >> beam.io.WriteToParquet(f"{job.output}/rows", SCHEMA, file_name_suffix=".parquet")
        )


if __name__ == "__main__":
    main(read_job())
