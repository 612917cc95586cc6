"""seefood's bulk job in this process, without the command line and without the report."""

from importlib import import_module
from pathlib import Path

import obstore
import pyarrow.parquet

from benchmarks.contender import Job, read_job, timed
from seefood.cli.warm_up import get_ready
from seefood.engines.threads import compute_threads
from seefood_pipeline.launcher import Request, launch
from seefood_pipeline.light import import_in_background

# Imports are on the other side of the clock, for everybody: those of the worker process, too, which
# is started ahead, as the command line does, and loads the model on this side. Beam as the command
# line has it, and its runner, which it imports when a pipeline runs.
get_ready(compute_threads("auto"))
_IMPORTED = (obstore, pyarrow.parquet)
import_in_background().join()
import_module("apache_beam.runners.portability.fn_api_runner")


def main(job: Job) -> None:
    """Run the job: listing, ledger, certificate, Beam and all."""
    request = Request(
        sources=(job.source,),
        output=job.output,
        bundle=Path(job.bundle),
        engine=job.engine,
        report=False,
    )
    with timed(job):
        launch(request, "quiet")


if __name__ == "__main__":
    main(read_job())
