"""Beam's options: those of the user, checked before any work, and those that we add."""

import argparse
from collections.abc import Sequence
from typing import Final

from apache_beam.options.pipeline_options import (
    FlinkRunnerOptions,
    PipelineOptions,
    PortableOptions,
    StandardOptions,
)
from apache_beam.runners import create_runner

from seefood.errors import UsageError
from seefood_pipeline.flink import POOL_ADDRESS, FlinkCluster
from seefood_pipeline.job_server import class_path

IN_PROCESS: Final = "FnApiRunner"
_LOCAL: Final = frozenset({IN_PROCESS, "DirectRunner"})
# A path where Prism's binary is not. Otherwise Beam's DirectRunner downloads Prism, without a
# time-out, and runs it.
_NO_PRISM: Final = "--prism_location=no-download"
# A lost machine restarts the job, which skips what is written. By default the cluster would not
# restart it.
_RESTARTS: Final = ("--number_of_execution_retries=20", "--execution_retry_delay=3000")
# A TaskManager keeps a Python worker for its next task, even one that has died, and each restart
# fails on it ("call already cancelled"). Above this age it requests a new one, long before the
# restarts are used up. A busy worker finishes its bundle first.
_EXPIRY: Final = "--environment_expiration_millis=30000"


class JavaOptions(PipelineOptions):  # type: ignore[misc]  # Beam has no types
    """Options of Beam's Java side that its Python side passes on but does not declare."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        for option in (*_RESTARTS, _EXPIRY):
            parser.add_argument(option.partition("=")[0], type=int)


def pipeline_options(arguments: Sequence[str]) -> PipelineOptions:
    """Return Beam's options for `arguments`. Raises `UsageError` for those that Beam refuses.

    For a Flink cluster, adds the worker pool beside each TaskManager, one task for each TaskManager
    and restarts, unless the user sets them. Raises `UsageError` if there is no cluster.
    """
    given = list(arguments)
    if not _has(given, "--runner"):
        given.append(f"--runner={IN_PROCESS}")
    if not _has(given, "--prism_location"):
        given.append(_NO_PRISM)
    _refuse_unknown(given, arguments)
    options = PipelineOptions(given)
    runner = options.view_as(StandardOptions).runner
    try:
        create_runner(runner)
    except (ValueError, ImportError, AttributeError) as error:
        raise UsageError(
            f"Beam has no runner {runner!r} here; leave --runner out, or use DirectRunner or "
            "FlinkRunner"
        ) from error
    cluster = flink_cluster(options)
    return options if cluster is None else PipelineOptions(_for_flink(given, options, cluster))


def is_remote(options: PipelineOptions) -> bool:
    """Whether the job runs in other processes than this one."""
    return options.view_as(StandardOptions).runner not in _LOCAL


def flink_cluster(options: PipelineOptions) -> FlinkCluster | None:
    """Return the Flink cluster that runs the job; None for another runner."""
    if options.view_as(StandardOptions).runner != "FlinkRunner":
        return None
    master = str(options.view_as(FlinkRunnerOptions).flink_master).strip()
    if master.startswith("["):
        raise UsageError(
            f"--flink_master={master} names no cluster; give the address of its REST interface as "
            "--flink_master=HOST:PORT, or leave --runner out to run in this process"
        )
    return FlinkCluster(master)


def job_server_path(options: PipelineOptions) -> str | None:
    """Return the class path of the job server to start; None if the user names a running one."""
    if options.view_as(PortableOptions).job_endpoint:
        return None
    return class_path(options.view_as(FlinkRunnerOptions).flink_job_server_jar)


def _for_flink(given: list[str], options: PipelineOptions, cluster: FlinkCluster) -> list[str]:
    nodes = cluster.check()
    job_server_path(options)
    added = [] if _has(given, "--number_of_execution_retries") else list(_RESTARTS)
    if not _has(given, _EXPIRY.partition("=")[0]):
        added.append(_EXPIRY)
    if not _has(given, "--environment_type"):
        added.append("--environment_type=EXTERNAL")
        if not _has(given, "--environment_config"):
            added.append(f"--environment_config={POOL_ADDRESS}")
    if not _has(given, "--parallelism"):
        added.append(f"--parallelism={nodes}")
    return [*given, *added]


def _has(arguments: Sequence[str], name: str) -> bool:
    return any(argument.split("=")[0] == name for argument in arguments)


def _refuse_unknown(given: Sequence[str], arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for group in PipelineOptions.__subclasses__():
        group._add_argparse_args(parser)  # noqa: SLF001 (Beam's documented hook for options)
    try:
        _, unknown = parser.parse_known_args(given)
    except (argparse.ArgumentError, SystemExit) as error:
        raise UsageError(f"Beam refuses {' '.join(arguments)}: {error}") from error
    if unknown:
        raise UsageError(
            f"Beam knows no option {unknown[0]}; only Beam's own options may follow `--`"
        )
