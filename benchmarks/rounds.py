"""Contenders in turns: each run is a fresh process, watched from outside.

Contenders alternate, and each round starts with another one, so that a machine that slows down for
a minute slows everybody down. Everybody runs at least once; after that, whoever would not fit into
the work's budget is left out of a round, so that slow contenders have fewer.
"""

import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.contender import RESULT, Job, write_job
from benchmarks.setting import ROOT, python

_MAX_SECONDS: Final = 240.0
_POLL_SECONDS: Final = 0.01
_WARM_UP: Final = 8
_MEMORY_EVERY: Final = 50
"""Polls between two looks at the memory of the whole process tree."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to do the work."""

    name: str
    title: str
    """For people."""
    requires: str = ""
    """The library that only this one needs, as it is imported."""
    script: str = ""
    """The module below `benchmarks.contenders`; the name if empty."""
    command: Callable[[Job], Sequence[str]] | None = None
    """Instead of a script: what a user would type."""
    environment: Mapping[str, str] = field(default_factory=dict)
    core: bool = False
    """Runs in every round, whatever the budget."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run of one contender."""

    contender: str
    pictures: int
    seconds_total: float
    """From the start of the process to its end."""
    seconds_loop: float | None
    """Of the work alone: imports and loading the model excluded; None if it cannot be told."""
    seconds_first_row: float | None
    """From the start of the process to the first result object; None if not asked."""
    seconds_cpu: float
    """Of the process and its children: what a busy machine changes little."""
    seconds_cpu_loop: float | None
    """Of the work alone, in the process and in the children that it waited for."""
    peak_rss_mb: float
    """Of the process and its children, in MB."""
    labels: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Label by file name."""

    def as_json(self) -> dict[str, Any]:
        """Return the figures as a JSON object, without the labels."""
        values = asdict(self)
        values.pop("labels")
        return values


@dataclass(frozen=True, slots=True)
class Plan:
    """How often, and how long at most."""

    rounds: int
    budget_seconds: float


@dataclass(slots=True)
class Outcome:
    """What came of all rounds; `failures` says who could not run, and why."""

    measurements: list[Measurement] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)


def run_rounds(
    contenders: Sequence[Contender], make_job: Callable[[Contender, Path], Job], plan: Plan
) -> Outcome:
    """Run every contender `plan.rounds` times, in turns, as far as the budget goes."""
    outcome = Outcome()
    begun = time.monotonic()
    last: dict[str, float] = {}
    for number in range(plan.rounds):
        at = number % len(contenders)
        for contender in [*contenders[at:], *contenders[:at]]:
            if contender.name in outcome.failures:
                continue
            if number and not contender.core:
                due = sum(last.get(each.name, 0.0) for each in contenders if each.core)
                kept = due * (plan.rounds - number)
                left = plan.budget_seconds - kept - (time.monotonic() - begun)
                if last.get(contender.name, 0.0) > left:
                    continue
            if not is_installed(contender.requires):
                outcome.failures[contender.name] = f"NOT INSTALLED: {contender.requires}"
                say(f"  {contender.title}: {outcome.failures[contender.name]}")
                continue
            try:
                measured = _run(contender, make_job)
            except _FailedError as error:
                outcome.failures[contender.name] = f"FAILED: {error}"
                say(f"  {contender.title}: {outcome.failures[contender.name]}")
                continue
            last[contender.name] = measured.seconds_total
            outcome.measurements.append(measured)
            say(f"  round {number + 1}: {contender.title}: {_shown(measured)}")
    return outcome


def warm_up(contenders: Sequence[Contender], make_job: Callable[[Contender, Path], Job]) -> None:
    """Bring everybody's libraries into the system's cache, uncounted: each program reads few files.

    Of several contenders that are one program the first does it for all.
    """
    seen: set[str] = set()
    for contender in contenders:
        program = "command" if contender.command else contender.script or contender.name
        if program in seen or not is_installed(contender.requires):
            continue
        seen.add(program)
        with contextlib.suppress(_FailedError):  # it is told when it counts
            _run(contender, lambda each, output: _fewer(make_job(each, output)))


def _fewer(job: Job) -> Job:
    if "://" in job.source:
        return job
    folder = Path(job.output).parent / "few"
    folder.mkdir()
    pictures = [str(shutil.copy(picture, folder)) for picture in job.pictures[:_WARM_UP]]
    return replace(job, pictures=tuple(pictures), source=str(folder))


def say(text: str) -> None:
    """Tell the operator how far it is."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def is_installed(library: str) -> bool:
    """Whether the contenders' interpreter has `library`."""
    if not library:
        return True
    look = f"import importlib.util as u, sys; sys.exit(u.find_spec({library!r}) is None)"
    return subprocess.run([python(), "-c", look], check=False).returncode == 0


class _FailedError(Exception):
    """A contender that did not come to an end, with the end of what it said."""


def _run(contender: Contender, make_job: Callable[[Contender, Path], Job]) -> Measurement:
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
            process = _Watched(command, stdout, stderr, contender.environment, job.output)
        said = (folder / "out").read_text(errors="replace")
        if process.code != 0:
            tail = (folder / "err").read_text(errors="replace").split()
            said_last = " ".join(tail)[-300:].replace("|", "/")
            raise _FailedError(f"exit code {process.code}: {said_last}")
        line = next((line for line in said.splitlines() if line.startswith(RESULT)), None)
        result = json.loads(line.removeprefix(RESULT)) if line else {}
        return Measurement(
            contender=contender.name,
            pictures=len(job.pictures),
            seconds_total=process.seconds,
            seconds_loop=result.get("seconds_loop"),
            seconds_first_row=process.first_row,
            seconds_cpu=process.seconds_cpu,
            seconds_cpu_loop=result.get("seconds_cpu_loop"),
            peak_rss_mb=max(process.peak_rss_mb, result.get("peak_rss_mb", 0.0)),
            labels=_labels(Path(job.output)),
        )


class _Watched:
    """A process from start to end: how long, when its first row lay there, how much memory."""

    def __init__(
        self,
        command: Sequence[str],
        stdout: Any,
        stderr: Any,
        environment: Mapping[str, str],
        output: str,
    ) -> None:
        self.first_row: float | None = None
        self.peak_rss_mb = 0.0
        begun, cpu = time.perf_counter(), _children_cpu_seconds()
        process = subprocess.Popen(
            command,
            stdout=stdout,
            stderr=stderr,
            cwd=ROOT,
            env={**_environment(), **environment},
            start_new_session=True,
        )
        try:
            self._watch(process, begun, Path(output) / "results")
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.seconds_cpu = _children_cpu_seconds() - cpu
        self.code = process.returncode

    def _watch(self, process: subprocess.Popen[bytes], begun: float, results: Path) -> None:
        polls = 0
        while True:
            try:
                process.wait(_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                pass
            else:
                break
            self.seconds = time.perf_counter() - begun
            if self.first_row is None and any(results.glob("*/part-*")):
                self.first_row = self.seconds
            if polls % _MEMORY_EVERY == 0:
                self.peak_rss_mb = max(self.peak_rss_mb, _tree_rss_mb(process.pid))
            polls += 1
            if self.seconds > _MAX_SECONDS:
                raise _FailedError(f"it took longer than {_MAX_SECONDS:.0f} s")
        self.seconds = time.perf_counter() - begun


def _environment() -> dict[str, str]:
    """Return what every contender finds in its environment."""
    path = f"{python().parent}{os.pathsep}{os.environ.get('PATH', '')}"
    own = {"PATH": path, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    return {**os.environ, **own}


def _children_cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _tree_rss_mb(pid: int) -> float:
    """Return the memory of a process and all below it, shared pages counted each time, in MB."""
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


def _labels(output: Path) -> dict[str, str]:
    """Return what a contender wrote: the label by the file's name."""
    import pyarrow.parquet as pq  # noqa: PLC0415 (the front door's help needs none)

    labels: dict[str, str] = {}
    for file in output.rglob("*.parquet"):
        rows = pq.ParquetFile(file).read(columns=["uri", "label"])
        pairs = zip(rows["uri"].to_pylist(), rows["label"].to_pylist(), strict=True)
        labels |= {uri.rpartition("/")[2]: label for uri, label in pairs}
    return labels


def _shown(measured: Measurement) -> str:
    work = measured.seconds_loop
    rate = f"{measured.pictures / work:.0f}/s, " if work else ""
    return (
        f"{rate}{measured.seconds_total:.1f} s in all, {measured.seconds_cpu:.1f} s of CPU, "
        f"{measured.peak_rss_mb:.0f} MB"
    )
