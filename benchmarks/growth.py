"""Peak memory with ten times the pictures, which must stay the same.

Runs the whole job over versitygw on this machine. The fake engine labels 10,000 and 100,000
pictures, which measures the job without inference; LiteRT labels 2,000 and 20,000. Peaks of the
launcher and of its workers are measured separately; pages that processes share count for each.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.memory import track_peak_memory
from benchmarks.networks import ensure_networks
from benchmarks.progress import log
from benchmarks.s3_server import running
from benchmarks.sections import Section, at_most
from benchmarks.settings import ROOT, Settings
from seefood.synthetic import KINDS, draw_picture

_PICTURES: Final = 64
_SIZE: Final = (128, 96)
_TITLES: Final = {"fake": "fake engine", "auto": "MobileNetV2-1.0-224, LiteRT"}


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of the job."""

    engine: str
    pictures: int
    again: bool
    """Whether an earlier run has labelled everything."""
    rows: int
    skipped: int
    seconds: float
    launcher_mb: int
    workers_mb: int

    @property
    def peak_mb(self) -> int:
        """The sum of both peaks, an upper bound of the peak of both together."""
        return self.launcher_mb + self.workers_mb


def measure(settings: Settings) -> Section:
    """Run each engine over few pictures and over ten times as many, each twice."""
    from tests.bundles import fake_bundle  # noqa: PLC0415 (`_job` does not need the tests)

    plan = (
        ("fake", (settings.choose(10_000, 1_000), settings.choose(100_000, 10_000))),
        ("auto", (settings.choose(2_000, 200), settings.choose(20_000, 2_000))),
    )
    runs: list[_Run] = []
    with tempfile.TemporaryDirectory(prefix="seefood-growth-") as scratch:
        bundles = {
            "fake": fake_bundle(Path(scratch, "bundle")).path,
            "auto": ensure_networks().float32,
        }
        for count in {count for _, counts in plan for count in counts}:
            _fill(Path(scratch, "buckets", "bench"), count)
        with running(Path(scratch, "buckets")) as environment:
            for engine, counts in plan:
                for count in counts:
                    for again in (False, True):
                        runs.append(_run(engine, bundles[engine], count, again, environment))
                        log(f"  {runs[-1]}")
    return _section(runs)


def _fill(bucket: Path, count: int) -> None:
    """Create `count` objects as hard links to a few drawn pictures."""
    drawn: list[Path] = []
    for number in range(count):
        folder = bucket / f"in-{count}" / f"{number // 500:04d}"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{number:06d}.jpg"
        if number < _PICTURES:
            kind = KINDS[number % len(KINDS)]
            draw_picture(kind, number, _SIZE).save(file, quality=85)
            tag = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
            os.setxattr(file, "user.etag", tag.encode())  # where versitygw reads it
            drawn.append(file)
        else:
            os.link(drawn[number % _PICTURES], file)


def _run(
    engine: str,
    bundle: Path,
    count: int,
    again: bool,  # noqa: FBT001 (private)
    environment: Mapping[str, str],
) -> _Run:
    """Run the job in a process of its own and track its memory."""
    source, output = f"s3://bench/in-{count}/", f"s3://bench/out-{engine}-{count}"
    start = time.perf_counter()
    with (
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.growth", engine, str(bundle), source, output],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
        track_peak_memory(process.pid) as peak,
    ):
        stdout, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"the job over {source} ended with {process.returncode}")
    summary = json.loads(stdout.splitlines()[-1])
    return _Run(
        engine=engine,
        pictures=count,
        again=again,
        rows=summary["rows"],
        skipped=summary["skipped_by_ledger"],
        seconds=time.perf_counter() - start,
        launcher_mb=peak.launcher_mb,
        workers_mb=peak.workers_mb,
    )


def _section(runs: list[_Run]) -> Section:
    aims = []
    for engine, title in _TITLES.items():
        few, many = (run for run in runs if run.engine == engine and not run.again)
        aims.append(
            at_most(
                f"{title}: peak memory, {many.pictures:,} pictures against {few.pictures:,}",
                1.1,
                many.peak_mb / few.peak_mb,
                "x",
            )
        )
    return Section(
        title="Memory",
        note=(
            "The whole job over an S3 server on this machine, small drawn pictures. `again`: the "
            "same command once more, which finds nothing new. Peaks of the launcher and of the "
            "processes that it starts, added up."
        ),
        columns=(
            "engine",
            "pictures",
            "run",
            "rows",
            "done before",
            "s",
            "launcher MB",
            "workers MB",
        ),
        rows=tuple(
            (
                _TITLES[run.engine],
                f"{run.pictures:,}",
                "again" if run.again else "first",
                f"{run.rows:,}",
                f"{run.skipped:,}",
                f"{run.seconds:.1f}",
                f"{run.launcher_mb:,}",
                f"{run.workers_mb:,}",
            )
            for run in runs
        ),
        aims=tuple(aims),
        data={"runs": [f"{run}" for run in runs]},
    )


def _job(engine: str, bundle: str, source: str, output: str) -> None:
    """Run the job in this process and print its summary."""
    from seefood.runs.run_spec import RunOptions  # noqa: PLC0415 (each run in its own process)
    from seefood_pipeline.launcher import launch  # noqa: PLC0415
    from seefood_pipeline.request import Request  # noqa: PLC0415

    request = Request((source,), output, Path(bundle), RunOptions(engine=engine), report=False)
    print(json.dumps(launch(request, "quiet").summary))


if __name__ == "__main__":
    _job(*sys.argv[1:])
