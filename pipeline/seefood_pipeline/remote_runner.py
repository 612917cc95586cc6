"""Runs a job whose workers are other processes: submit it, watch what it writes, end it.

The launcher reads each result object once, when it appears. So its progress shows rows that are
written, on any runner, and its counts over all workers decide whether too many pictures failed.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Final

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, PortableOptions
from apache_beam.runners.runner import PipelineState

from seefood.errors import JobError, SeefoodError
from seefood.results.totals import Totals, too_many_failed
from seefood.runs.progress import ProgressCounters
from seefood.runs.run_spec import RunSpec
from seefood_pipeline.coordination import read_listing_totals, write_stop_flag
from seefood_pipeline.flink import FlinkCluster
from seefood_pipeline.job_server import job_server
from seefood_pipeline.options import flink_cluster, job_server_path
from seefood_pipeline.restart_state import PartsBefore, count_parts, new_parts

_log = logging.getLogger(__name__)

_POLL_SECONDS: Final = 2.0
# Polling takes at most this share of the time, however many result objects there are.
_MAX_POLL_SHARE: Final = 0.1
_STATE_SECONDS: Final = 0.25
_LOG_INTERVAL_MILLISECONDS: Final = 60_000


def run_remotely(
    build: Callable[[beam.Pipeline], None],
    options: PipelineOptions,
    name: str,
    counters: ProgressCounters,
) -> None:
    """Run the pipeline that `build` fills; cancel it when `counters` request a stop.

    Raises `JobError` if it failed or was stopped.
    """
    cluster = flink_cluster(options)
    path = None if cluster is None else job_server_path(options)
    with (
        nullcontext()
        if cluster is None or path is None
        else job_server(path, cluster.address) as endpoint
    ):
        if endpoint is not None:
            options.view_as(PortableOptions).job_endpoint = endpoint
        pipeline = beam.Pipeline(options=options)  # reads the options now
        build(pipeline)
        _submit_and_wait(pipeline, cluster, name, counters)


@contextmanager
def watching(run: RunSpec, before: PartsBefore, counters: ProgressCounters) -> Iterator[None]:
    """Update `counters` from what the job writes during the block; stop it if too many fail."""
    watcher = _Watcher(run, before, counters)
    stop = threading.Event()
    thread = threading.Thread(target=watcher.watch, args=(stop,), name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=_POLL_SECONDS)
    watcher.poll()


class _Watcher:
    """Reads result objects as they appear."""

    def __init__(self, run: RunSpec, before: PartsBefore, counters: ProgressCounters) -> None:
        self._run = run
        self._before = before
        self._counters = counters
        self._seen: dict[str, tuple[str, Totals]] = {}
        self._listed = Totals()

    def watch(self, stop: threading.Event) -> None:
        """Poll every two seconds, less often if polling takes long."""
        wait = _POLL_SECONDS
        while not stop.wait(wait):
            started = time.monotonic()
            try:
                self.poll()
            except SeefoodError as error:
                _log.warning("cannot read the job's progress: %s", error)
            wait = max(_POLL_SECONDS, (time.monotonic() - started) / _MAX_POLL_SHARE)

    def poll(self) -> None:
        """Count what is new."""
        self._poll_listing()
        nothing = ("", Totals())
        new = [
            part
            for part in new_parts(self._run, self._before)
            if part.etag != self._seen.get(part.uri, nothing)[0]
        ]
        for part, totals in zip(new, count_parts(new), strict=True):
            # A repeated step rewrites an object under the same name: its rows count once.
            _, counted = self._seen.get(part.uri, nothing)
            self._seen[part.uri] = (part.etag, totals)
            self._counters.add_listed(0, 0)  # starts the clock
            self._counters.add_rows(totals.rows - counted.rows, totals.failed - counted.failed)
        limit = self._run.options.max_failure_ratio
        if too_many_failed(self._counters.rows, self._counters.failed, limit):
            write_stop_flag(self._run)

    def _poll_listing(self) -> None:
        totals = read_listing_totals(self._run)
        if totals is not None:
            before = self._listed
            self._counters.add_listed(
                totals.listed - before.listed, totals.skipped - before.skipped
            )
            self._counters.listing_done = True
            self._listed = totals


def _submit_and_wait(
    pipeline: beam.Pipeline, cluster: FlinkCluster | None, name: str, counters: ProgressCounters
) -> None:
    result = pipeline.run()
    ended = threading.Event()
    failures: list[Exception] = []
    # `wait_until_finish` alone raises the reason for which a job failed.
    threading.Thread(target=_wait, args=(result, failures, ended), daemon=True).start()
    restarts = _RestartLog(cluster, name)
    while not ended.wait(_STATE_SECONDS):
        restarts.poll()
        if counters.stop_requested:
            _cancel(result, cluster, name)
            raise JobError(
                "stopped before all pictures were classified: the job was cancelled on the "
                "cluster; run the same command again to go on"
            )
    if failures:
        raise failures[0]


class _RestartLog:
    """Logs why the cluster restarts parts of the job, while the job goes on."""

    def __init__(self, cluster: FlinkCluster | None, name: str) -> None:
        self._cluster = cluster
        self._name = name
        self._next_poll = 0.0
        self._logged: dict[str, int] = {}

    def poll(self) -> None:
        """Log new failures; the same cause at most once a minute."""
        if self._cluster is None or time.monotonic() < self._next_poll:
            return
        self._next_poll = time.monotonic() + _POLL_SECONDS
        try:
            failures = self._cluster.failures(self._name)
        except (OSError, ValueError, KeyError):
            return  # only the log lacks them
        for failure in failures:
            if failure.at > self._logged.get(failure.cause, 0) + _LOG_INTERVAL_MILLISECONDS:
                self._logged[failure.cause] = failure.at
                _log.warning("a part of the job is started again: %.300s", failure.cause)


def _wait(result: Any, failures: list[Exception], ended: threading.Event) -> None:
    try:
        state = result.wait_until_finish()
        if state != PipelineState.DONE:
            failures.append(JobError(f"the job ended as {state}; run the same command again"))
    except Exception as error:  # noqa: BLE001 (any error of a runner is the job's failure)
        failures.append(error)
    finally:
        ended.set()


def _cancel(result: Any, cluster: FlinkCluster | None, name: str) -> None:
    if cluster is None:
        result.cancel()
    elif cluster.cancel(name) == 0:
        raise JobError(f"stopped; the cluster at {cluster.address} runs no job {name!r} any more")
