"""`ClassifyImages` between Beam's own source and sink: names in a text file, rows in Parquet."""

from importlib import import_module
from pathlib import Path

import apache_beam as beam

from benchmarks.job import Job, read_job, timed
from seefood.cli.warm_up import start_worker_early
from seefood.engines.threads import compute_threads
from seefood_pipeline import ClassifyImages

start_worker_early(compute_threads("auto"))  # before the timed block, as in `ours`
import_module("apache_beam.runners.portability.fn_api_runner")


def main(job: Job) -> None:
    """Build and run the pipeline."""
    names = Path(job.output).parent / "names.txt"
    names.write_text("\n".join(job.pictures))
    with timed(job), beam.Pipeline("FnApiRunner") as pipeline:
        uris = pipeline | beam.io.ReadFromText(str(names))
        rows, failures = uris | ClassifyImages(job.bundle, engine=job.engine)
        _ = (
            (rows, failures)
            | beam.Flatten()
            | beam.io.WriteToParquet(f"{job.output}/rows", file_name_suffix=".parquet")
        )


if __name__ == "__main__":
    main(read_job())
