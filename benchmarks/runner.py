"""Runs contenders in turns.

Contenders alternate, and each round starts with another one, so that a machine that is slow for a
minute slows all of them down. Every contender runs at least once. After that, a contender that
would exceed the benchmark's time budget skips the round, so that slow contenders run less often.
"""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from benchmarks.contender_process import Contender, ContenderError, Measurement, run_contender
from benchmarks.job import Job
from benchmarks.progress import log
from benchmarks.settings import python

_WARM_UP_PICTURES: Final = 8


@dataclass(frozen=True, slots=True)
class Plan:
    """How many rounds to run, and for how long at most."""

    rounds: int
    budget_seconds: float


@dataclass(slots=True)
class Outcome:
    """The measurements of all rounds, and the reason of each contender that could not run."""

    measurements: list[Measurement] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)


def run_rounds(
    contenders: Sequence[Contender], make_job: Callable[[Contender, Path], Job], plan: Plan
) -> Outcome:
    """Run every contender `plan.rounds` times, in turns, within the time budget."""
    outcome = Outcome()
    start = time.monotonic()
    last_seconds: dict[str, float] = {}
    for number in range(plan.rounds):
        at = number % len(contenders)
        for contender in [*contenders[at:], *contenders[:at]]:
            if contender.name in outcome.failures:
                continue
            if number and not contender.core:
                core = sum(last_seconds.get(each.name, 0.0) for each in contenders if each.core)
                reserved = core * (plan.rounds - number)
                left = plan.budget_seconds - reserved - (time.monotonic() - start)
                if last_seconds.get(contender.name, 0.0) > left:
                    continue
            if not is_installed(contender):
                outcome.failures[contender.name] = f"NOT INSTALLED: {contender.requires}"
                log(f"  {contender.title}: {outcome.failures[contender.name]}")
                continue
            try:
                measurement = run_contender(contender, make_job)
            except ContenderError as error:
                outcome.failures[contender.name] = f"FAILED: {error}"
                log(f"  {contender.title}: {outcome.failures[contender.name]}")
                continue
            last_seconds[contender.name] = measurement.seconds_total
            outcome.measurements.append(measurement)
            log(f"  round {number + 1}: {contender.title}: {_to_line(measurement)}")
    return outcome


def warm_up(contenders: Sequence[Contender], make_job: Callable[[Contender, Path], Job]) -> None:
    """Run each program over a few pictures, unmeasured, so that its libraries are cached.

    Contenders that share a program run once.
    """
    seen: set[str] = set()
    for contender in contenders:
        program = "command" if contender.command else contender.script or contender.name
        if program in seen or not is_installed(contender):
            continue
        seen.add(program)
        with contextlib.suppress(ContenderError):  # `run_rounds` reports it
            run_contender(
                contender, lambda each, output: _with_few_pictures(make_job(each, output))
            )


def _with_few_pictures(job: Job) -> Job:
    if "://" in job.source:
        return job
    folder = Path(job.output).parent / "few"
    folder.mkdir()
    pictures = [str(shutil.copy(picture, folder)) for picture in job.pictures[:_WARM_UP_PICTURES]]
    return replace(job, pictures=tuple(pictures), source=str(folder))


def is_installed(contender: Contender) -> bool:
    """Whether the contenders' interpreter can import the library that `contender` requires."""
    library = contender.requires
    if not library:
        return True
    program = f"import importlib.util as u, sys; sys.exit(u.find_spec({library!r}) is None)"
    environment = {**os.environ, **contender.environment}
    return subprocess.run([python(), "-c", program], check=False, env=environment).returncode == 0


def _to_line(measurement: Measurement) -> str:
    seconds = measurement.seconds_loop
    rate = f"{measurement.pictures / seconds:.0f}/s, " if seconds else ""
    return (
        f"{rate}{measurement.seconds_total:.1f} s in all, {measurement.seconds_cpu:.1f} s of CPU, "
        f"{measurement.peak_rss_mb:.0f} MB"
    )
