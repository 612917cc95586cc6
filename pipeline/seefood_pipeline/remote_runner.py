"""A job whose workers are elsewhere: submitted, watched through what it writes, and ended.

The launcher reads each result object once, as it appears. So it shows rows that are really there,
on any runner, and what it counts over all workers decides whether too many pictures have failed.
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
from seefood_pipeline.coordination import put_stop, see_listing
from seefood_pipeline.flink import FlinkCluster
from seefood_pipeline.job_server import job_server
from seefood_pipeline.listing import Listing
from seefood_pipeline.options import flink_cluster, job_server_path
from seefood_pipeline.restart_state import Before, count_parts

_log = logging.getLogger(__name__)

_POLL_SECONDS: Final = 2.0
# Looking takes at most this share of the time, however many result objects there are.
_MAX_POLL_SHARE: Final = 0.1
_STATE_SECONDS: Final = 0.25
_LOG_INTERVAL_MILLISECONDS: Final = 60_000


def run_remotely(
    build: Callable[[beam.Pipeline], None],
    options: PipelineOptions,
    name: str,
    meter: ProgressCounters,
) -> None:
    """Run what `build` puts into a pipeline. When `meter` is asked to stop, end it on the cluster.

    Raises `JobError` if it failed or was stopped.
    """
    cluster = flink_cluster(options)
    path = None if cluster is None else job_server_path(options)
    with (
        nullcontext()
        if cluster is None or path is None
        else job_server(path, cluster.address) as at
    ):
        if at is not None:
            options.view_as(PortableOptions).job_endpoint = at
        pipeline = beam.Pipeline(options=options)  # looks at the options now, not later
        build(pipeline)
        _submit_and_wait(pipeline, cluster, name, meter)


@contextmanager
def watching(before: Before, listing: Listing, meter: ProgressCounters) -> Iterator[None]:
    """Turn `meter` by what the job writes, until the block ends; stop it if too many fail."""
    watcher = _Watcher(before, listing, meter)
    stop = threading.Event()
    thread = threading.Thread(target=watcher.run, args=(stop,), name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=_POLL_SECONDS)
    watcher.look()


class _Watcher:
    """Reads result objects as they appear."""

    def __init__(self, before: Before, listing: Listing, meter: ProgressCounters) -> None:
        self._before = before
        self._listing = listing
        self._meter = meter
        self._seen: dict[str, tuple[str, Totals]] = {}
        self._listed = Totals()

    def run(self, stop: threading.Event) -> None:
        """Look every two seconds, less often where looking takes long."""
        wait = _POLL_SECONDS
        while not stop.wait(wait):
            begun = time.monotonic()
            try:
                self.look()
            except SeefoodError as error:
                _log.warning("cannot see how far the job is: %s", error)
            wait = max(_POLL_SECONDS, (time.monotonic() - begun) / _MAX_POLL_SHARE)

    def look(self) -> None:
        """Count what is new."""
        self._look_at_listing()
        nothing = ("", Totals())
        new = [
            part
            for part in self._before.new_parts()
            if part.etag != self._seen.get(part.uri, nothing)[0]
        ]
        for part, totals in zip(new, count_parts(new), strict=True):
            # A restart writes an object again, under the same name: its rows count once.
            _, known = self._seen.get(part.uri, nothing)
            self._seen[part.uri] = (part.etag, totals)
            self._meter.list(0, 0)  # the clock starts with what is seen first
            self._meter.add(totals.rows - known.rows, totals.failed - known.failed)
        most = self._listing.max_failure_ratio
        if too_many_failed(self._meter.rows, self._meter.failed, most):
            put_stop(self._listing.coordination)

    def _look_at_listing(self) -> None:
        found = see_listing(self._listing.coordination)
        if found is not None:
            new_listed, new_skipped = found.listed, found.skipped
            self._meter.list(new_listed - self._listed.listed, new_skipped - self._listed.skipped)
            self._meter.listing_done = True
            self._listed = found


def _submit_and_wait(
    pipeline: beam.Pipeline, cluster: FlinkCluster | None, name: str, meter: ProgressCounters
) -> None:
    result = pipeline.run()
    ended = threading.Event()
    failures: list[Exception] = []
    # Beam tells why a job failed only to who waits for it.
    waiting = threading.Thread(target=_wait, args=(result, failures, ended), daemon=True)
    waiting.start()
    trouble = _Trouble(cluster, name)
    while not ended.wait(_STATE_SECONDS):
        trouble.look()
        if meter.stop_requested:
            _cancel(result, cluster, name)
            raise JobError(
                "stopped before all pictures were classified: the job was cancelled on the "
                "cluster; run the same command again to go on"
            )
    if failures:
        raise failures[0]


class _Trouble:
    """Tells the user why the cluster starts parts of the job again, while the job goes on."""

    def __init__(self, cluster: FlinkCluster | None, name: str) -> None:
        self._cluster = cluster
        self._name = name
        self._next_look = 0.0
        self._told: dict[str, int] = {}

    def look(self) -> None:
        """Tell what is new; the same cause once a minute at most."""
        if self._cluster is None or time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _POLL_SECONDS
        try:
            failures = self._cluster.failures(self._name)
        except (OSError, ValueError, KeyError):
            return  # whoever asks next for something that is needed will say so
        for failure in failures:
            if failure.at > self._told.get(failure.cause, 0) + _LOG_INTERVAL_MILLISECONDS:
                self._told[failure.cause] = failure.at
                _log.warning("a part of the job is started again: %.300s", failure.cause)


def _wait(result: Any, failures: list[Exception], ended: threading.Event) -> None:
    try:
        state = result.wait_until_finish()
        if state != PipelineState.DONE:
            failures.append(JobError(f"the job ended as {state}; run the same command again"))
    except Exception as error:  # noqa: BLE001 (whatever a runner raises is the job's failure)
        failures.append(error)
    finally:
        ended.set()


def _cancel(result: Any, cluster: FlinkCluster | None, name: str) -> None:
    if cluster is None:
        result.cancel()
    elif cluster.cancel(name) == 0:
        raise JobError(f"stopped; the cluster at {cluster.address} runs no job {name!r} any more")
