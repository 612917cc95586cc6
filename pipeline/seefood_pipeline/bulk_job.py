"""A bulk job as a value, and how it is run.

Everything that can be wrong is found on the launcher before the first worker starts: the options,
the sources, the output, the bundle, the engine. The job itself then asserts that rows out are
pictures in before it says that it is done.
"""

import json
import logging
import re
from collections.abc import Callable, Iterator, Sequence
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
from seefood.results.totals import Totals
from seefood.runs.progress import ProgressCounters
from seefood.storage import open_store, write
from seefood.storage.uris import Location
from seefood.workers.chunks import Target
from seefood.workers.threaded import ChunkClassifier
from seefood_pipeline.listing import Listing
from seefood_pipeline.options import flink_cluster, is_remote, pipeline_options
from seefood_pipeline.remote_runner import run_remotely, watching
from seefood_pipeline.restart_state import note_parts, write_before
from seefood_pipeline.transforms import ClassifyPictures

_log = logging.getLogger(__name__)

# What Beam appends to the message of whatever a step raises.
_STEP: Final = re.compile(r" \[while running '.*$")


@dataclass(frozen=True, slots=True)
class BulkJob:
    """What is to be classified, by what, and where the rows go."""

    listing: Listing
    open_worker: Callable[[], ChunkClassifier]
    """Called on each worker; must travel there."""
    target: Target
    handover: Location
    """Where a worker leaves the totals for the launcher, which takes them away."""

    @property
    def name(self) -> str:
        """How a cluster lists the job: the same for every run that writes the same rows."""
        shard = self.listing.shard
        part = "" if shard is None else f" {shard.index} of {shard.count}"
        return f"seefood {self.target.digest[:DIGEST_SHOWN]}{part} {self.target.output.uri}"


def run_bulk_job(
    job: BulkJob, beam_arguments: Sequence[str] = (), meter: ProgressCounters | None = None
) -> Totals:
    """Run `job` to its end and return what was counted.

    `beam_arguments` are Beam's own options, as typed; without `--runner` the job runs in this
    process. `meter` is turned where workers are others; asked to stop there, it ends the job.
    Raises `UsageError` for an option that Beam refuses, `JobError` if the job fails or rows are
    missing; what was written until then is kept and a rerun goes on from there.
    """
    options = pipeline_options(beam_arguments)
    if is_remote(options):
        return _run_remote(job, options, meter or ProgressCounters())
    with _own_errors(), beam.Pipeline(options=options) as pipeline:
        _build(job, pipeline)
    return _checked(job)


def clear_the_way(job: BulkJob, beam_arguments: Sequence[str]) -> int:
    """Cancel what a launcher that was killed has left running on a cluster for this output.

    Call it with the lease in hand. Returns how many jobs there were.
    """
    cluster = flink_cluster(pipeline_options(beam_arguments))
    return 0 if cluster is None else cluster.cancel(job.name)


def _run_remote(job: BulkJob, options: PipelineOptions, meter: ProgressCounters) -> Totals:
    listing, target = job.listing, job.target
    before = note_parts(target.output, target.digest)
    job = replace(job, listing=replace(listing, done_parts=(), remote=True))
    write_before(before, listing.coordination.before)
    if flink_cluster(options) is not None:  # others allow fewer characters in a name
        options.view_as(GoogleCloudOptions).job_name = job.name
    try:
        with _own_errors(), watching(before, job.listing, meter):
            run_remotely(partial(_build, job), options, job.name, meter)
        totals = _checked(job)
        # Who was cut off from the cluster but not from the store may have written rows as well.
        if len(before.new_parts()) > totals.parts:
            deduplicate(target.output, target.digest)
        return totals
    finally:
        listing.coordination.clear()


def _build(job: BulkJob, pipeline: beam.Pipeline) -> None:
    remote = job.listing.remote
    coordination = job.listing.coordination if remote else None
    transform = ClassifyPictures(
        job.open_worker, job.target, spread=remote, coordination=coordination
    )
    totals = pipeline | "Start" >> beam.Create([job.listing]) | transform
    _ = totals | "Hand to the launcher" >> beam.Map(write_totals, job.handover)


def _checked(job: BulkJob) -> Totals:
    totals = read_totals(job.handover)
    check_totals(totals)
    return totals


@contextmanager
def _own_errors() -> Iterator[None]:
    try:
        yield
    except StopError as error:
        raise type(error)(_STEP.sub("", str(error))) from error
    except Exception as error:
        raise _own_error(error) from error


def write_totals(totals: Totals, location: Location) -> None:
    """Put `totals` where the launcher finds them. Atomic, overwrites."""
    write(location, json.dumps(totals.as_json()).encode())


def read_totals(location: Location) -> Totals:
    """Take what `write_totals` put there. Raises `JobError` if there is nothing."""
    store = open_store(location.root)
    try:
        totals = Totals.from_json(json.loads(store.read(location.key)))
    except (FileNotFoundError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise JobError(
            f"the job ended without its counts at {location.uri}; can its workers write there?"
        ) from error
    store.delete(location.key)
    return totals


def check_totals(totals: Totals) -> None:
    """Raise `JobError` unless every picture that was due has a row: rows in are rows out."""
    due = totals.listed - totals.skipped
    if totals.rows != due:
        raise JobError(
            f"{due:,} pictures were due and {totals.rows:,} rows were written; run the same "
            "command again to classify the rest, and report this with the run's log"
        )


def _own_error(error: Exception) -> StopError:
    """Return the error of ours that a worker raised; runners carry it as a traceback's text."""
    for line in reversed(str(error).splitlines()):
        match = re.match(r"(?:.*\s)?seefood\.errors\.(\w+): (.*)$", _STEP.sub("", line))
        kind = getattr(errors, match[1], None) if match else None
        if match and isinstance(kind, type) and issubclass(kind, StopError):
            return kind(match[2])
    last = next((line for line in reversed(str(error).splitlines()) if line.strip()), repr(error))
    _log.debug("the runner's error", exc_info=error)
    return JobError(f"the job failed: {last[:300]}; run it again with --verbose for the whole log")
