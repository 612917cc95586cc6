"""The measures of a run, for Prometheus (`--metrics FILE`) and OpenTelemetry.

Every measure has the attribute `output`, so that the files of several jobs in one folder of the
node exporter's textfile collector do not collide. A file is replaced atomically, as the collector
demands. Format: https://prometheus.io/docs/instrumenting/exposition_formats/ (version 0.0.4).
"""

import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from seefood.errors import JobError, SeefoodError, UsageError
from seefood.records import Status
from seefood.runs.otlp import export_measures
from seefood.sanitize import printable, redacted
from seefood.storage.local import temporary_beside

_MAX_LABELS: Final = 100
_LAST_SUCCESS: Final = "seefood_last_success_timestamp_seconds"
HELP: Final = {
    "seefood_run_info": "The model and the engine of the run; always 1.",
    "seefood_run_exit_code": "The exit code of the run; 0 is success.",
    "seefood_run_end_timestamp_seconds": "When the run ended, in seconds since 1970.",
    _LAST_SUCCESS: "When the last run with exit code 0 ended, in seconds since 1970.",
    "seefood_run_duration_seconds": "How long the run took.",
    "seefood_run_listed": "Objects that the run listed.",
    "seefood_run_skipped": "Pictures that had a row before.",
    "seefood_run_pictures": "Pictures that got a row, by status.",
    "seefood_run_labels": "Pictures that got a row, by label; the most frequent labels.",
    "seefood_run_failures": "Pictures without a label, by error code.",
    "seefood_run_left_out": "Parts of the sources that could not be listed.",
    "seefood_run_read_bytes": "Bytes of the pictures that were read.",
    "seefood_run_requests": "Requests to the store, by method.",
    "seefood_run_cpu_seconds": "CPU time of all processes of the run.",
    "seefood_run_drift_alarm": "Whether the run differs from what was seen before; 0 or 1.",
    "seefood_run_novel_pictures": "Pictures that resemble nothing seen before.",
    "seefood_run_estimated_accuracy": "The accuracy that the scores suggest; 0 to 1.",
}


@dataclass(frozen=True, slots=True)
class Measure:
    """One value of one series."""

    name: str
    """A key of `HELP`."""
    value: float
    attributes: Mapping[str, str]


@dataclass(slots=True)
class Measured:
    """What a run gives to `measured`."""

    exit_code: int = 0
    summary: Mapping[str, Any] = field(default_factory=dict)
    """The content of `summary.json`; empty for a run that failed before it was written."""


@contextmanager
def measured(
    file: Path | None,
    output: str,
    code_of: Callable[[BaseException], int],
    tell: Callable[[str], None],
) -> Iterator[Measured]:
    """Write the measures of the block's run to `file`, and export them, when the block ends.

    Also if it ends with an error, whose exit code is `code_of(error)`. `tell` is called with a
    sentence if the export fails, which does not fail the run. Raises `UsageError` at once
    if the file cannot be written.
    """
    last_success = _last_success(file) if file is not None else None
    if file is not None:
        _check_writable(file)
    run = Measured()
    try:
        yield run
    except BaseException as error:
        run.exit_code = code_of(error)
        with suppress(SeefoodError):  # the run's own error is the one to tell
            _publish(file, run, output, last_success, tell)
        raise
    _publish(file, run, output, last_success, tell)


def _publish(
    file: Path | None,
    run: Measured,
    output: str,
    last_success: float | None,
    tell: Callable[[str], None],
) -> None:
    now = time.time()
    measures = list(run_measures(run, output, now, now if run.exit_code == 0 else last_success))
    if failure := export_measures(measures, HELP):
        tell(failure)
    if file is not None:
        write_metrics(file, prometheus_text(measures))


def run_measures(
    run: Measured, output: str, ended_at: float, last_success: float | None
) -> Iterator[Measure]:
    """Yield the measures of a run; times are POSIX seconds."""
    common = {"output": redacted(output)}
    summary = run.summary

    def measure(name: str, value: float, **attributes: str) -> Measure:
        return Measure(f"seefood_{name}", float(value), {**common, **attributes})

    def by(name: str, attribute: str, counts: Mapping[str, float]) -> Iterator[Measure]:
        for key, value in list(counts.items())[:_MAX_LABELS]:
            yield measure(name, value, **{attribute: str(key)})

    yield measure("run_exit_code", run.exit_code)
    yield measure("run_end_timestamp_seconds", ended_at)
    if last_success is not None:
        yield measure("last_success_timestamp_seconds", last_success)
    if not summary:
        return
    model = summary["model"]
    engine, digest = str(model["engine"]), str(model["digest"])
    yield measure("run_info", 1, model=str(model["name"]), digest=digest, engine=engine)
    yield measure("run_duration_seconds", summary["seconds"])
    yield measure("run_listed", summary["listed"])
    yield measure("run_skipped", summary["skipped_by_ledger"])
    statuses = {str(status): summary["by_status"].get(status, 0) for status in Status}
    yield from by("run_pictures", "status", statuses)
    yield from by("run_labels", "label", summary["by_label"])
    yield from by("run_failures", "code", summary["by_error_code"])
    yield measure("run_left_out", sum(summary["left_out"].values()))
    yield measure("run_read_bytes", summary["bytes_read"])
    if receipt := summary.get("receipt"):
        yield from by("run_requests", "method", receipt["requests"])
        yield measure("run_cpu_seconds", receipt["cpu_seconds"])
    if drift := summary.get("drift"):
        yield measure("run_drift_alarm", bool(drift.get("alarm")))
        if drift.get("novel") is not None:
            yield measure("run_novel_pictures", drift["novel"])
        if accuracy := drift.get("accuracy_estimate"):
            yield measure("run_estimated_accuracy", accuracy["estimate"])


def prometheus_text(measures: list[Measure]) -> str:
    """Return the measures in Prometheus's text format, the series of a name together."""
    lines = []
    for name, text in HELP.items():
        series = [measure for measure in measures if measure.name == name]
        if series:
            lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
            lines += [f"{name}{{{_labels(each.attributes)}}} {each.value!r}" for each in series]
    return "\n".join(lines) + "\n"


def _labels(attributes: Mapping[str, str]) -> str:
    pairs = []
    for name, value in attributes.items():
        escaped = printable(value).replace("\\", "\\\\").replace('"', '\\"')
        pairs.append(f'{name}="{escaped}"')
    return ",".join(pairs)


def write_metrics(file: Path, text: str) -> None:
    """Write the file. Atomic, overwrites. Raises `JobError`."""
    try:
        with temporary_beside(file) as temporary:  # the collector reads *.prom only
            temporary.write_text(text, encoding="utf-8")
            temporary.chmod(0o644)  # everyone may read, as the collector's user is another one
            temporary.replace(file)
    except OSError as error:
        raise JobError(
            f"cannot write {file} of --metrics: {error.strerror}; the rows are kept"
        ) from error


def _check_writable(file: Path) -> None:
    try:
        if file.is_dir():
            raise UsageError(
                f"--metrics {file} is a folder; name a file, such as {file}/seefood.prom"
            )
        if not file.parent.exists():
            raise UsageError(f"--metrics {file}: there is no folder {file.parent}; make it first")
        tempfile.TemporaryFile(dir=file.parent).close()
    except OSError as error:
        raise UsageError(
            f"--metrics {file}: cannot write into {file.parent} ({error.strerror}); "
            "make that folder writable, or name a file in another one"
        ) from error


def _last_success(file: Path) -> float | None:
    """Return the time of the last success as the file that is there has it."""
    try:
        found = re.search(rf"^{_LAST_SUCCESS}\{{.*\}} (\S+)$", file.read_text(), re.MULTILINE)
        return float(found[1]) if found else None
    except (OSError, ValueError):
        return None
