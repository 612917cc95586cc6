"""A bulk job as a value, and how it is run.

Everything that can be wrong is found on the launcher before the first worker starts: the options,
the sources, the output, the bundle, the engine. The job itself then asserts that rows out are
pictures in before it says that it is done.
"""

import argparse
import json
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners import create_runner

from pipeline.listing import Listing
from pipeline.transforms import ClassifyPictures
from seefood import errors
from seefood.chunks import Target
from seefood.errors import JobError, StopError, UsageError
from seefood.storage import open_store, write
from seefood.totals import Totals
from seefood.uris import Location
from seefood.worker import Classifier

_log = logging.getLogger(__name__)

_IN_PROCESS: Final = "FnApiRunner"
# What Beam appends to the message of whatever a step raises.
_STEP: Final = re.compile(r" \[while running '.*$")
# Where Prism's binary is not. Without this, Beam's DirectRunner downloads and runs one, with no
# time-out, before it falls back to the runner that is in the package.
_NO_PRISM: Final = "--prism_location=no-download"


@dataclass(frozen=True, slots=True)
class BulkJob:
    """What is to be classified, by what, and where the rows go."""

    listing: Listing
    open_worker: Callable[[], Classifier]
    """Called on each worker; must travel there."""
    target: Target
    handover: Location
    """Where a worker leaves the totals for the launcher, which takes them away."""


def run_bulk_job(job: BulkJob, beam_arguments: Sequence[str] = ()) -> Totals:
    """Run `job` to its end and return what was counted.

    `beam_arguments` are Beam's own options, as typed; without `--runner` the job runs in this
    process. Raises `UsageError` for an option that Beam refuses, `JobError` if the job fails or
    rows are missing; what was written until then is kept and a rerun goes on from there.
    """
    options = pipeline_options(beam_arguments)
    in_process = options.view_as(StandardOptions).runner == _IN_PROCESS
    transform = ClassifyPictures(
        job.open_worker,
        job.target,
        spread=not in_process,
        # In this process the lister sees all counts, and ends the job in good order.
        max_failure_ratio=1.0 if in_process else job.listing.max_failure_ratio,
    )
    try:
        with beam.Pipeline(options=options) as pipeline:
            totals = pipeline | "Start" >> beam.Create([job.listing]) | transform
            _ = totals | "Hand to the launcher" >> beam.Map(write_totals, job.handover)
    except StopError as error:
        raise type(error)(_STEP.sub("", str(error))) from error
    except Exception as error:
        raise _own_error(error) from error
    totals = read_totals(job.handover)
    check_totals(totals)
    return totals


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


def pipeline_options(arguments: Sequence[str]) -> PipelineOptions:
    """Return Beam's options for `arguments`. Raises `UsageError` for those that Beam refuses."""
    given = list(arguments)
    if not any(argument.split("=")[0] == "--runner" for argument in given):
        given.append(f"--runner={_IN_PROCESS}")
    if not any(argument.startswith("--prism_location") for argument in given):
        given.append(_NO_PRISM)
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for group in PipelineOptions.__subclasses__():
        group._add_argparse_args(parser)  # noqa: SLF001 (Beam's documented hook for options)
    try:
        _, unknown = parser.parse_known_args(given)
    except (argparse.ArgumentError, SystemExit) as error:
        raise UsageError(f"Beam refuses {' '.join(arguments)}: {error}") from error
    if unknown:
        raise UsageError(
            f"Beam knows no option {unknown[0]}; what stands behind `--` must be Beam's own options"
        )
    options = PipelineOptions(given)
    runner = options.view_as(StandardOptions).runner
    try:
        create_runner(runner)
    except (ValueError, ImportError, AttributeError) as error:
        raise UsageError(
            f"Beam has no runner {runner!r} here; leave --runner out, or use DirectRunner or "
            "FlinkRunner"
        ) from error
    return options


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
