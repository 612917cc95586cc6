"""Memory must not grow with the bucket: ten times the pictures, the same peak.

The whole job over versitygw on this machine: listing, reading, decoding, rows to the bucket. With
the fake engine a hundred thousand pictures against ten thousand, so that the job itself is
measured; with the real one twenty thousand against two thousand. Memory is the most that the
launcher held and the most that its workers held, shared pages counted for each of them.
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

from benchmarks.memory import watched
from benchmarks.network import ensure_networks
from benchmarks.rounds import say
from benchmarks.s3_server import running
from benchmarks.sections import Section, at_most
from benchmarks.setting import ROOT, Setting
from seefood.synthetic import KINDS, draw_picture

_PICTURES: Final = 64
_SIZE: Final = (128, 96)
_TITLES: Final = {"fake": "fake engine", "auto": "MobileNetV2-1.0-224, LiteRT"}


@dataclass(frozen=True, slots=True)
class _Told:
    """One run of the job."""

    engine: str
    pictures: int
    again: bool
    """Whether it found everything done already."""
    rows: int
    skipped: int
    seconds: float
    launcher_mb: int
    workers_mb: int

    @property
    def peak_mb(self) -> int:
        """Of the launcher and its workers; each one's own peak, so it is no less than the truth."""
        return self.launcher_mb + self.workers_mb


def measure(setting: Setting) -> Section:
    """Run each engine over few pictures and over ten times as many, each twice."""
    from tests.bundles import fake_bundle  # noqa: PLC0415 (the fake engine's bundle)

    plan = (
        ("fake", (setting.choose(10_000, 1_000), setting.choose(100_000, 10_000))),
        ("auto", (setting.choose(2_000, 200), setting.choose(20_000, 2_000))),
    )
    told: list[_Told] = []
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
                        told.append(_run(engine, bundles[engine], count, again, environment))
                        say(f"  {told[-1]}")
    return _section(told)


def _fill(bucket: Path, count: int) -> None:
    """Make `count` objects out of a few drawn pictures, as links."""
    made: list[Path] = []
    for number in range(count):
        folder = bucket / f"in-{count}" / f"{number // 500:04d}"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{number:06d}.jpg"
        if number < _PICTURES:
            kind = KINDS[number % len(KINDS)]
            draw_picture(kind, number, _SIZE).save(file, quality=85)
            tag = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
            os.setxattr(file, "user.etag", tag.encode())  # where the server keeps it
            made.append(file)
        else:
            os.link(made[number % _PICTURES], file)


def _run(
    engine: str,
    bundle: Path,
    count: int,
    again: bool,  # noqa: FBT001 (private)
    environment: Mapping[str, str],
) -> _Told:
    """Run the job in a process of its own and watch it."""
    source, output = f"s3://bench/in-{count}/", f"s3://bench/out-{engine}-{count}"
    begun = time.perf_counter()
    with (
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.growth", engine, str(bundle), source, output],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
        watched(process.pid) as peak,
    ):
        printed, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"the job over {source} ended with {process.returncode}")
    summary = json.loads(printed.splitlines()[-1])
    return _Told(
        engine=engine,
        pictures=count,
        again=again,
        rows=summary["rows"],
        skipped=summary["skipped_by_ledger"],
        seconds=time.perf_counter() - begun,
        launcher_mb=peak.launcher_mb,
        workers_mb=peak.workers_mb,
    )


def _section(told: list[_Told]) -> Section:
    aims = []
    for engine, title in _TITLES.items():
        few, many = (run for run in told if run.engine == engine and not run.again)
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
            for run in told
        ),
        aims=tuple(aims),
        data={"runs": [f"{run}" for run in told]},
    )


def _job(engine: str, bundle: str, source: str, output: str) -> None:
    """Run the job in this process and print its summary."""
    from seefood_pipeline.launcher import Request, launch  # noqa: PLC0415 (each run in its own process)

    request = Request((source,), output, Path(bundle), engine=engine, report=False)
    print(json.dumps(launch(request, "quiet").summary))


if __name__ == "__main__":
    _job(*sys.argv[1:])
