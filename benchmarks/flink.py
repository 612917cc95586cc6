"""A Flink cluster against the runner in one process, and two nodes against one.

    python -m benchmarks.flink [COUNT [ROUNDS [MINUTES]]]        default: 20000 2 12

One cluster of two nodes, rounds interleaved and every other one backwards, the built-in model,
web-like pictures as files of this machine. A node's workers have one core for themselves; the
runner in one process has both. On one node the job gets half of the pictures. A rate is rows
between the first and the last `classified_at`: what it takes to start, to submit and to stop is
left out. A round is not begun if it would end after MINUTES. Tells each figure as it comes on
stderr; prints a table for docs/scale.md, and last one line of JSON.
"""

import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.machine import describe_machine
from benchmarks.pictures import ensure_pictures
from benchmarks.setting import CACHE, ROOT
from infra.flink.cluster import Cluster, start, stop
from seefood.results.files import read_rows
from seefood.storage.uris import parse_location

_ORIGINALS: Final = 500
_NODES: Final = 2
_CHUNK: Final = 128
_RUN_SECONDS: Final = 900.0
_LOCAL: Final = f"one process, {_NODES} cores"
_ALL: Final = f"Flink, {_NODES} nodes of one core"
_ONE: Final = "Flink, 1 node of one core"


@dataclass(frozen=True, slots=True)
class _Run:
    """What one run of the job took."""

    name: str
    pictures: int
    rate: float
    """Pictures per second, from the first row to the last."""
    before: float
    """Seconds from the command to the first row."""
    after: float
    """Seconds from the last row to the end of the command."""


def _source(folder: Path, count: int) -> Path:
    """Make `count` names out of a few pictures, as links, in two folders of as many."""
    pictures = ensure_pictures("web", _ORIGINALS)
    pictures.read_once()
    for number in range(count):
        half = "first" if number < count // 2 else "second"
        target = folder / half / f"{number // 1000:04d}" / f"{number:06d}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(pictures.files[number % len(pictures.files)], target)
    _tell(f"{count} names of {pictures.origin}")
    return folder


def _measure(name: str, source: Path, output: Path, beam: Sequence[str]) -> _Run:
    """Run the job to its end; it tells how far it is on stderr. Raises if it fails or hangs."""
    shutil.rmtree(output, ignore_errors=True)
    command = [sys.executable, "-m", "seefood", "classify", str(source), "--output", str(output)]
    options = ["--no-report", "--chunk-size", str(_CHUNK), *(("--", *beam) if beam else ())]
    begun = datetime.now(UTC)
    subprocess.run(
        [*command, *options], cwd=ROOT, check=True, stdout=subprocess.DEVNULL, timeout=_RUN_SECONDS
    )
    ended = datetime.now(UTC)
    times = sorted(row.classified_at for row in read_rows(parse_location(str(output))))
    rate = len(times) / (times[-1] - times[0]).total_seconds()
    before, after = times[0] - begun, ended - times[-1]
    run = _Run(name, len(times), rate, before.total_seconds(), after.total_seconds())
    _tell(
        f"{name}: {len(times)} pictures at {rate:.1f}/s; {run.before:.1f} s before the first row, "
        f"{run.after:.1f} s after the last"
    )
    return run


def _round(cluster: Cluster, scratch: Path, *, backwards: bool) -> list[_Run]:
    """Measure everything once."""
    runner = (
        "--runner=FlinkRunner",
        f"--flink_master={cluster.master}",
        f"--environment_config=localhost:{cluster.pool_port}",
    )
    every, half, output = scratch / "in", scratch / "in" / "first", scratch / "out"
    works: list[tuple[str, Path, tuple[str, ...]]] = [
        (_LOCAL, every, ()),
        (_ALL, every, (*runner, f"--parallelism={_NODES}")),
        (_ONE, half, (*runner, "--parallelism=1")),
    ]
    if backwards:
        works.reverse()
    return [_measure(name, source, output, beam) for name, source, beam in works]


def _rounds(scratch: Path, most: int, seconds: float) -> list[_Run]:
    """Start a cluster and measure until `most` rounds are done or another takes too long."""
    begun = time.monotonic()
    rest, rpc, pool = _free_ports(3)
    cluster = Cluster(scratch / "cluster", rest, rpc, pool, _NODES, slots=1, pinned=True)
    runs: list[_Run] = []
    try:
        start(cluster)
        _tell(f"a cluster is up after {time.monotonic() - begun:.1f} s")
        for number in range(most):
            spent = time.monotonic() - begun
            if number and spent * (number + 1) / number > seconds:
                _tell(f"round {number + 1} would end too late and is left out")
                break
            runs += _round(cluster, scratch, backwards=number % 2 == 1)
        return runs
    finally:
        _tell(f"stopped {', '.join(stop(cluster))}")


def _table(runs: Sequence[_Run]) -> str:
    """Return the measured figures as docs/scale.md has them."""
    lines = ["| run | pictures | pictures/s, median | all rounds | first row after |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for name in (_LOCAL, _ALL, _ONE):
        own = [run for run in runs if run.name == name]
        rates = ", ".join(f"{run.rate:.0f}" for run in own)
        before = statistics.median(run.before for run in own)
        lines.append(
            f"| {name} | {own[0].pictures:,} | {_rate(runs, name):.0f} | {rates} | {before:.0f} s |"
        )
    return "\n".join(lines)


def _rate(runs: Sequence[_Run], name: str) -> float:
    return statistics.median(run.rate for run in runs if run.name == name)


def _free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def _tell(text: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", file=sys.stderr, flush=True)


def main(count: int, rounds: int, minutes: int) -> None:
    """Print a table."""
    # Whoever ends this, as `timeout` does, ends the cluster with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    # All that is started from here on shares two cores, also on a larger machine.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:_NODES])
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="flink-", dir=CACHE) as folder:
        _source(Path(folder, "in"), count)
        runs = _rounds(Path(folder), rounds, 60.0 * minutes)
    ratio = _rate(runs, _ALL) / _rate(runs, _ONE)
    overhead = 1 - _rate(runs, _ALL) / _rate(runs, _LOCAL)
    print(_table(runs))
    print(f"\nTwo nodes to one: {ratio:.2f} times. Overhead on two cores: {overhead:.1%}.")
    result = {"two_nodes_to_one": ratio, "overhead": overhead, "runs": list(map(asdict, runs))}
    print(json.dumps({**result, "machine": describe_machine()}))


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    main(*(numbers + [20_000, 2, 12][len(numbers) :]))
