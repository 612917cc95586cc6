"""`SeefoodModelHandler` in the pipeline of `beam_naive`: the handler is the one line that differs.

Decoding and resizing go with it, because our handler takes the bytes of a picture.
"""

from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.io.filesystems import FileSystems
from apache_beam.ml.inference.base import KeyedModelHandler, PredictionResult, RunInference

from benchmarks.job import Job, read_job, timed
from seefood.cli.warm_up import start_worker_early
from seefood.engines.threads import compute_threads
from seefood_pipeline import SeefoodModelHandler

start_worker_early(compute_threads("auto"))  # before the timed block, as in `ours`
SCHEMA = pa.schema([("uri", pa.string()), ("label", pa.string()), ("score", pa.float32())])


def read_bytes(path: str) -> tuple[str, bytes]:
    """Read a picture."""
    with FileSystems.open(path) as stream:
        return path, stream.read()


def to_row(keyed: tuple[str, PredictionResult]) -> dict[str, Any]:
    """Return a row."""
    path, prediction = keyed
    return {
        "uri": path, "label": prediction.inference.label, "score": prediction.inference.score
    }  # fmt: skip


def main(job: Job) -> None:
    """Build and run the pipeline."""
    handler = KeyedModelHandler(SeefoodModelHandler(job.bundle, engine=job.engine))
    with timed(job), beam.Pipeline(runner="FnApiRunner") as pipeline:
        _ = (
            pipeline
            | "Paths" >> beam.Create(job.pictures)
            | "Read" >> beam.Map(read_bytes)
            | "Infer" >> RunInference(handler)
            | "Rows" >> beam.Map(to_row)
            | "Write"
            >> beam.io.WriteToParquet(f"{job.output}/rows", SCHEMA, file_name_suffix=".parquet")
        )


if __name__ == "__main__":
    main(read_job())
