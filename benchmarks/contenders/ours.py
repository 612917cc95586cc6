"""seefood's bulk job in this process, without the command line and without the report."""

from importlib import import_module
from pathlib import Path

import obstore
import pyarrow.parquet

from benchmarks.job import Job, read_job, timed
from seefood.cli.warm_up import start_worker_early
from seefood.engines.threads import compute_threads
from seefood.runs.run_spec import RunOptions
from seefood_pipeline.beam_import import import_in_background
from seefood_pipeline.launcher import launch
from seefood_pipeline.request import Request

# Imports happen before the timed block, as for every contender. That includes those of the worker
# process, which starts here as in the command line and loads the model inside the block, and those
# of Beam's runner, which Beam imports when a pipeline runs.
start_worker_early(compute_threads("auto"))
_IMPORTED = (obstore, pyarrow.parquet)
import_in_background().join()
import_module("apache_beam.runners.portability.fn_api_runner")


def main(job: Job) -> None:
    """Run the whole job: listing, ledger, certificate and Beam."""
    request = Request(
        sources=(job.source,),
        output=job.output,
        bundle=Path(job.bundle),
        options=RunOptions(engine=job.engine),
        report=False,
    )
    with timed(job):
        launch(request, "quiet")


if __name__ == "__main__":
    main(read_job())
