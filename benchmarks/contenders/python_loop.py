"""`seefood.classify` in a Python program that writes one Parquet file."""

import pyarrow.parquet as pq

import seefood
from benchmarks.job import Job, read_job, timed
from seefood.cli.warm_up import start_worker_early
from seefood.engines.threads import compute_threads

start_worker_early(compute_threads("auto"))  # before the timed block, as in `ours`


def main(job: Job) -> None:
    """Classify and write."""
    with timed(job):
        table = seefood.classify(job.source, model=job.bundle, engine=job.engine).to_arrow()
        pq.write_table(table, f"{job.output}/rows.parquet")


if __name__ == "__main__":
    main(read_job())
