"""Runs a run's Beam pipeline to its end and returns what it counted."""

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import apache_beam as beam
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions

from seefood import errors
from seefood.errors import JobError, StopError
from seefood.records import DIGEST_SHOWN
from seefood.results.deduplicate import deduplicate
from seefood.results.totals import Totals, add_totals
from seefood.runs.progress import ProgressCounters
from seefood.runs.run_files import delete_coordination_files
from seefood.runs.run_spec import RunSpec
from seefood_pipeline.coordination import take_totals, write_totals
from seefood_pipeline.images import Chunk
from seefood_pipeline.options import flink_cluster, is_remote, pipeline_options
from seefood_pipeline.remote_runner import run_remotely, watching
from seefood_pipeline.restart_state import existing_parts, new_parts, write_before
from seefood_pipeline.run_control import RunControl
from seefood_pipeline.run_steps import ChunkImages, ClassifyChunks, ListRunImages, SkipRunDone
from seefood_pipeline.worker_factory import WorkerFactory, shared_worker
from seefood_pipeline.writing import WriteRows

_log = logging.getLogger(__name__)

# Beam appends this to the message of an error that a step raises.
_STEP: Final = re.compile(r" \[while running '.*$")


@dataclass(frozen=True, slots=True)
class BulkJob:
    """A run, and how workers are opened for its pictures."""

    control: RunControl
    open_worker: WorkerFactory = shared_worker

    @property
    def run(self) -> RunSpec:
        """The run."""
        return self.control.run

    @property
    def name(self) -> str:
        """The job's name on a cluster: the same for every run that writes the same rows."""
        shard = self.run.shard
        part = "" if shard is None else f" {shard.index} of {shard.count}"
        return f"seefood {self.run.digest[:DIGEST_SHOWN]}{part} {self.run.output.uri}"


def run_bulk_job(
    job: BulkJob, beam_arguments: Sequence[str] = (), counters: ProgressCounters | None = None
) -> Totals:
    """Run `job` to its end and return its counts.

    `beam_arguments` are Beam's own options; without `--runner` the job runs in this process. With
    remote workers, `counters` are updated from what the workers write, and a stop that they request
    cancels the job. Raises `UsageError` for an option that Beam refuses, `JobError` if the job
    fails or rows are missing; rows that were written stay, and a rerun continues from there.
    """
    options = pipeline_options(beam_arguments)
    if is_remote(options):
        return _run_remote(job, options, counters or ProgressCounters())
    with _translated_errors(), beam.Pipeline(options=options) as pipeline:
        _build(job, pipeline)
    return _take_checked_totals(job.run)


def cancel_earlier_jobs(run: RunSpec, beam_arguments: Sequence[str]) -> int:
    """Cancel the jobs that a killed launcher left on a cluster for this output; return how many.

    The caller must hold the lease.
    """
    cluster = flink_cluster(pipeline_options(beam_arguments))
    return 0 if cluster is None else cluster.cancel(BulkJob(RunControl(run)).name)


def _run_remote(job: BulkJob, options: PipelineOptions, counters: ProgressCounters) -> Totals:
    run = job.run
    before = existing_parts(run)
    job = replace(job, control=RunControl(run, remote=True))
    write_before(before, run)
    if flink_cluster(options) is not None:  # other runners do not allow this name
        options.view_as(GoogleCloudOptions).job_name = job.name
    try:
        with _translated_errors(), watching(run, before, counters):
            run_remotely(partial(_build, job), options, job.name, counters)
        totals = _take_checked_totals(run)
        # A worker that was cut off from the cluster, but not from the store, may have written too.
        if len(new_parts(run, before)) > totals.parts:
            deduplicate(run.output, run.digest)
        return totals
    finally:
        delete_coordination_files(run.output, run.run_id)


def _build(job: BulkJob, pipeline: beam.Pipeline) -> None:
    control = job.control
    listed = pipeline | "List images" >> ListRunImages(control)
    new = listed.images | "Skip done" >> SkipRunDone(control)
    chunks = new.images | "Group into chunks" >> ChunkImages(job.run.options.chunk)
    if control.remote:  # in one process it would delay the first picture until the last is listed
        chunks = chunks | "Spread over workers" >> beam.Reshuffle()
    classified = chunks | "Classify images" >> ClassifyChunks(control, job.open_worker)
    written = classified.rows | "Write rows" >> WriteRows(
        job.run.output, file_format=job.run.options.file_format
    )
    not_begun = classified.failures | "Count what was not begun" >> beam.Map(_not_begun)
    _ = (
        (listed.counts, new.counts, written, not_begun)
        | "Gather counts" >> beam.Flatten()
        | "Add up" >> beam.CombineGlobally(add_totals).without_defaults()
        | "Send counts to the launcher" >> beam.Map(write_totals, job.run)
    )


def _not_begun(chunk: Chunk) -> Totals:
    """Return the totals of a chunk that was listed and not begun, because its run stops."""
    return Totals(listed=-len(chunk), stopped_early=1)


def _take_checked_totals(run: RunSpec) -> Totals:
    totals = take_totals(run)
    check_totals(totals)
    return totals


def check_totals(totals: Totals) -> None:
    """Raise `JobError` unless every listed picture that was not skipped has a row."""
    expected = totals.listed - totals.skipped
    if totals.rows != expected:
        raise JobError(
            f"{expected:,} pictures were to be classified and {totals.rows:,} rows were written; "
            "run the same command again to classify the rest, and report this with the run's log"
        )


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except StopError as error:
        raise type(error)(_STEP.sub("", str(error))) from error
    except Exception as error:
        raise _translated(error) from error


def _translated(error: Exception) -> StopError:
    """Return the `StopError` that a worker raised; runners pass it on as a traceback's text."""
    for line in reversed(str(error).splitlines()):
        match = re.match(r"(?:.*\s)?seefood\.errors\.(\w+): (.*)$", _STEP.sub("", line))
        kind = getattr(errors, match[1], None) if match else None
        if match and isinstance(kind, type) and issubclass(kind, StopError):
            return kind(match[2])
    last = next((line for line in reversed(str(error).splitlines()) if line.strip()), repr(error))
    _log.debug("the runner's error", exc_info=error)
    return JobError(f"the job failed: {last[:300]}; run it again with --verbose for the whole log")
