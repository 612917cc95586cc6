"""Second step of a launch: run the job under the lease, with progress and signals."""

import time
from dataclasses import dataclass

from seefood.results.deduplicate import deduplicate
from seefood.results.files import list_parts
from seefood.results.totals import Totals
from seefood.runs.lease import hold_lease
from seefood.runs.progress import Style, show_progress
from seefood_pipeline.prepare import PreparedRun
from seefood_pipeline.run_control import RunControl
from seefood_pipeline.signals import GRACE_SECONDS, stopping
from seefood_pipeline.worker_factory import WorkerKey, close_worker, run_counters


@dataclass(frozen=True, slots=True)
class RunResult:
    """The counts of a finished job."""

    totals: Totals
    classify_seconds: float
    """From the first listed object to the last row."""


def execute(prepared: PreparedRun, beam_arguments: tuple[str, ...], style: Style) -> RunResult:
    """Run the job to its end and leave one row for each picture.

    Raises `UsageError` if another run holds the lease, `JobError` if the job fails.
    """
    run = prepared.run
    counters = run_counters(run.run_id)
    with hold_lease(run, lambda: counters.request_stop(GRACE_SECONDS)):
        if beam_arguments:
            from seefood_pipeline.bulk_job import cancel_earlier_jobs  # noqa: PLC0415 (see below)

            cancel_earlier_jobs(run, beam_arguments)
        parts = [] if run.options.force else list_parts(run.output, run.digest)
        control = RunControl(run, tuple(part.uri for part in parts))
        with show_progress(counters, style), stopping(counters):
            started = time.monotonic()
            try:
                # Imports Beam, which takes seconds; the command line has begun that earlier.
                from seefood_pipeline.bulk_job import BulkJob, run_bulk_job  # noqa: PLC0415

                totals = run_bulk_job(BulkJob(control), beam_arguments, counters)
            finally:
                close_worker(WorkerKey.of(run))
            seconds = time.monotonic() - started
        if run.options.force or totals.replaced:
            deduplicate(run.output, run.digest)
    # With workers on other machines the counters may have seen nothing but the end.
    return RunResult(totals, counters.seconds or (seconds if totals.rows else 0.0))
