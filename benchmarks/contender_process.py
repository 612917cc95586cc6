"""Runs one contender in a fresh process and measures that process from outside."""

import json
import os
import resource
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.job import RESULT, Job, write_job
from benchmarks.settings import ROOT, python

_MAX_SECONDS: Final = 240.0
_POLL_SECONDS: Final = 0.01
_POLLS_PER_MEMORY_SAMPLE: Final = 50


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to label the pictures."""

    name: str
    title: str
    """The name in tables."""
    requires: str = ""
    """The import name of the library that only this contender needs."""
    script: str = ""
    """The module below `benchmarks.contenders`; the name if empty."""
    command: Callable[[Job], Sequence[str]] | None = None
    """A shell command that runs instead of a script."""
    environment: Mapping[str, str] = field(default_factory=dict)
    core: bool = False
    """Runs in every round, even when the time budget is used up."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run of one contender."""

    contender: str
    pictures: int
    seconds_total: float
    """From the start of the process to its end."""
    seconds_loop: float | None
    """Loading the model and labelling, without the imports; None for shell commands."""
    seconds_first_row: float | None
    """From the start of the process to the first result object; None for scripts."""
    seconds_cpu: float
    """CPU time of the process and its children."""
    seconds_cpu_loop: float | None
    """CPU time of `seconds_loop`, with the children that the process waited for."""
    peak_rss_mb: float
    """Of the process and its children, in MB."""
    labels: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Label by file name."""

    def as_json(self) -> dict[str, Any]:
        """Return the figures as a JSON object, without the labels."""
        values = asdict(self)
        values.pop("labels")
        return values


class ContenderError(Exception):
    """A contender failed; the message ends with the end of its stderr."""


def run_contender(contender: Contender, make_job: Callable[[Contender, Path], Job]) -> Measurement:
    """Run the contender once. Raises `ContenderError` if it fails or takes too long."""
    with tempfile.TemporaryDirectory(prefix="seefood-bench-") as scratch:
        folder = Path(scratch)
        (folder / "rows").mkdir()
        job = make_job(contender, folder / "rows")
        write_job(job, folder / "job.json")
        if contender.command is not None:
            command = list(contender.command(job))
        else:
            module = f"benchmarks.contenders.{contender.script or contender.name}"
            command = [str(python()), "-m", module, str(folder / "job.json")]
        with (folder / "out").open("wb") as stdout, (folder / "err").open("wb") as stderr:
            process = _MeasuredProcess(command, stdout, stderr, contender.environment, job.output)
        if process.exit_code != 0:
            words = (folder / "err").read_text(errors="replace").split()
            tail = " ".join(words)[-300:].replace("|", "/")
            raise ContenderError(f"exit code {process.exit_code}: {tail}")
        lines = (folder / "out").read_text(errors="replace").splitlines()
        line = next((line for line in lines if line.startswith(RESULT)), None)
        result = json.loads(line.removeprefix(RESULT)) if line else {}
        return Measurement(
            contender=contender.name,
            pictures=len(job.pictures),
            seconds_total=process.seconds,
            seconds_loop=result.get("seconds_loop"),
            seconds_first_row=process.first_row_seconds,
            seconds_cpu=process.cpu_seconds,
            seconds_cpu_loop=result.get("seconds_cpu_loop"),
            peak_rss_mb=max(process.peak_rss_mb, result.get("peak_rss_mb", 0.0)),
            labels=_read_labels(Path(job.output)),
        )


class _MeasuredProcess:
    """A process from start to end: its time, the time of its first row, its peak memory."""

    def __init__(
        self,
        command: Sequence[str],
        stdout: Any,
        stderr: Any,
        environment: Mapping[str, str],
        output: str,
    ) -> None:
        self.first_row_seconds: float | None = None
        self.peak_rss_mb = 0.0
        start, cpu = time.perf_counter(), _children_cpu_seconds()
        process = subprocess.Popen(
            command,
            stdout=stdout,
            stderr=stderr,
            cwd=ROOT,
            env={**_environment(), **environment},
            start_new_session=True,
        )
        try:
            self._wait(process, start, Path(output) / "results")
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.cpu_seconds = _children_cpu_seconds() - cpu
        self.exit_code = process.returncode

    def _wait(self, process: subprocess.Popen[bytes], start: float, results: Path) -> None:
        polls = 0
        while True:
            try:
                process.wait(_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                pass
            else:
                break
            self.seconds = time.perf_counter() - start
            if self.first_row_seconds is None and any(results.glob("*/part-*")):
                self.first_row_seconds = self.seconds
            if polls % _POLLS_PER_MEMORY_SAMPLE == 0:
                self.peak_rss_mb = max(self.peak_rss_mb, _tree_rss_mb(process.pid))
            polls += 1
            if self.seconds > _MAX_SECONDS:
                raise ContenderError(f"it took longer than {_MAX_SECONDS:.0f} s")
        self.seconds = time.perf_counter() - start


def _environment() -> dict[str, str]:
    """Return the environment variables of every contender."""
    path = f"{python().parent}{os.pathsep}{os.environ.get('PATH', '')}"
    own = {"PATH": path, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    return {**os.environ, **own}


def _children_cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _tree_rss_mb(pid: int) -> float:
    """Return the memory of a process and its descendants in MB; shared pages count each time."""
    total = 0
    try:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            try:
                total += process.memory_info().rss
            except psutil.Error:
                continue
    except psutil.Error:
        return 0.0
    return total / 1e6


def _read_labels(output: Path) -> dict[str, str]:
    """Return the labels that a contender wrote, by file name."""
    import pyarrow.parquet as pq  # noqa: PLC0415 (`--help` does not need it)

    labels: dict[str, str] = {}
    for file in output.rglob("*.parquet"):
        rows = pq.ParquetFile(file).read(columns=["uri", "label"])
        pairs = zip(rows["uri"].to_pylist(), rows["label"].to_pylist(), strict=True)
        labels |= {uri.rpartition("/")[2]: label for uri, label in pairs}
    return labels
