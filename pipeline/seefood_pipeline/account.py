"""Last step of a launch: write the run's summary, receipt and report."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from seefood.drift.verdict import judge
from seefood.records import utc_now
from seefood.results.files import RESULTS
from seefood.runs.history import earlier_fingerprints
from seefood.runs.pricing import (
    Interval,
    Work,
    default_prices,
    load_prices,
    peak_memory_bytes,
    receipt,
)
from seefood.runs.summary import FinishedRun, summarise, write_summary
from seefood.storage import request_counts
from seefood.storage.uris import Location
from seefood_pipeline.execute import RunResult
from seefood_pipeline.prepare import PreparedRun
from seefood_pipeline.request import Request


def _cpu_seconds() -> float:
    """Return the CPU time of this process and of its ended children."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@dataclass(frozen=True, slots=True)
class Started:
    """When a launch began, on three clocks, and the requests before it."""

    at: datetime = field(default_factory=utc_now)
    monotonic: float = field(default_factory=time.monotonic)
    cpu_seconds: float = field(default_factory=_cpu_seconds)
    requests: Mapping[str, int] = field(default_factory=request_counts.counted)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a finished run leaves."""

    summary: Mapping[str, Any]
    """The content of `summary.json`."""
    folder: Location
    """The folder of `summary.json` and `report.html`."""
    report: Location | None
    results: Location

    @property
    def failure_ratio(self) -> float:
        """The share of this run's pictures that have no label; 0 if there were none."""
        rows = int(self.summary["rows"])
        return int(self.summary["by_status"].get("failed", 0)) / rows if rows else 0.0


def account(
    request: Request, prepared: PreparedRun, result: RunResult, started: Started
) -> Outcome:
    """Write `summary.json`, and `report.html` if requested, and return what was written."""
    run, totals = prepared.run, result.totals
    finished = FinishedRun(
        run=run,
        started_at=started.at,
        seconds=time.monotonic() - started.monotonic,
        classify_seconds=result.classify_seconds,
        engine=prepared.engine,
        device=prepared.device,
        beam_arguments=request.beam_arguments,
    )
    summary = summarise(finished, totals, prepared.bundle)
    if prepared.quote is not None:
        summary["quote"] = prepared.quote
    earlier = earlier_fingerprints(run.output, run.digest, before=run.run_id)
    summary["drift"] = judge(totals.fingerprint, earlier, prepared.bundle.reference).as_json()
    report = None
    try:
        if request.report:
            from seefood.report.writing import write_run_report  # noqa: PLC0415 (only if there is one)

            report = write_run_report(run.output, summary, run.folder)
    finally:  # after the report, whose requests are on the receipt
        if totals.rows and not any(text.startswith("--runner") for text in request.beam_arguments):
            work = _work(totals.rows, started, writes=not run.output.is_local)
            summary["receipt"] = receipt(work, finished.seconds, load_prices(default_prices()))
        write_summary(summary, run.folder)
    return Outcome(summary, run.folder, report, run.output.child(RESULTS))


def _work(rows: int, started: Started, *, writes: bool) -> Work:
    each = (_cpu_seconds() - started.cpu_seconds) / rows
    counts = request_counts.since(started.requests)
    counts["put"] += writes  # the summary, which is written last
    return Work(rows, counts, Interval(each, each, each), peak_memory_bytes())
