"""The job on Flink with two nodes, on Flink with one node, and in one process.

    python -m benchmarks.flink [COUNT [ROUNDS [MINUTES]]]        default: 20000 2 12

Uses one cluster of two nodes, the built-in model and web photos in local files. The three runs of
a round follow each other, in reverse order every second round. Each node's workers have one core;
the single process has both. One node labels half of the pictures. The rate counts rows between the
first and the last `classified_at`, so it leaves out start, submission and stop. A round that would
end after MINUTES does not start. Prints a table for docs/scale.md and a line of JSON; progress
goes to stderr.
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
from benchmarks.progress import log
from benchmarks.settings import CACHE, ROOT
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
    """One run of the job."""

    name: str
    pictures: int
    rate: float
    """Pictures per second, from the first row to the last."""
    before_seconds: float
    """From the start of the command to the first row."""
    after_seconds: float
    """From the last row to the end of the command."""


def _source(folder: Path, count: int) -> Path:
    """Create `count` hard links to a few pictures, in two folders of equal size."""
    pictures = ensure_pictures("web", _ORIGINALS)
    pictures.read_once()
    for number in range(count):
        half = "first" if number < count // 2 else "second"
        target = folder / half / f"{number // 1000:04d}" / f"{number:06d}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(pictures.files[number % len(pictures.files)], target)
    _log(f"{count} links to {pictures.origin}")
    return folder


def _measure(name: str, source: Path, output: Path, beam: Sequence[str]) -> _Run:
    """Run the job. Raises if it fails or takes longer than 15 minutes."""
    shutil.rmtree(output, ignore_errors=True)
    command = [sys.executable, "-m", "seefood", "classify", str(source), "--output", str(output)]
    options = ["--no-report", "--chunk-size", str(_CHUNK), *(("--", *beam) if beam else ())]
    start_time = datetime.now(UTC)
    subprocess.run(
        [*command, *options], cwd=ROOT, check=True, stdout=subprocess.DEVNULL, timeout=_RUN_SECONDS
    )
    end_time = datetime.now(UTC)
    times = sorted(row.classified_at for row in read_rows(parse_location(str(output))))
    rate = len(times) / (times[-1] - times[0]).total_seconds()
    before, after = times[0] - start_time, end_time - times[-1]
    run = _Run(name, len(times), rate, before.total_seconds(), after.total_seconds())
    _log(
        f"{name}: {len(times)} pictures at {rate:.1f}/s; {run.before_seconds:.1f} s before the "
        f"first row, {run.after_seconds:.1f} s after the last"
    )
    return run


def _round(cluster: Cluster, scratch: Path, *, reverse: bool) -> list[_Run]:
    """Run each configuration once."""
    runner = (
        "--runner=FlinkRunner",
        f"--flink_master={cluster.master}",
        f"--environment_config=localhost:{cluster.pool_port}",
    )
    every, half, output = scratch / "in", scratch / "in" / "first", scratch / "out"
    configurations: list[tuple[str, Path, tuple[str, ...]]] = [
        (_LOCAL, every, ()),
        (_ALL, every, (*runner, f"--parallelism={_NODES}")),
        (_ONE, half, (*runner, "--parallelism=1")),
    ]
    if reverse:
        configurations.reverse()
    return [_measure(name, source, output, beam) for name, source, beam in configurations]


def _rounds(scratch: Path, max_rounds: int, max_seconds: float) -> list[_Run]:
    """Start a cluster and run rounds until `max_rounds` or `max_seconds` would be exceeded."""
    start_time = time.monotonic()
    rest, rpc, pool = _free_ports(3)
    cluster = Cluster(scratch / "cluster", rest, rpc, pool, _NODES, slots=1, pinned=True)
    runs: list[_Run] = []
    try:
        start(cluster)
        _log(f"the cluster started in {time.monotonic() - start_time:.1f} s")
        for number in range(max_rounds):
            elapsed = time.monotonic() - start_time
            if number and elapsed * (number + 1) / number > max_seconds:
                _log(f"skipped round {number + 1}: it would exceed {max_seconds / 60:.0f} minutes")
                break
            runs += _round(cluster, scratch, reverse=number % 2 == 1)
        return runs
    finally:
        _log(f"stopped {', '.join(stop(cluster))}")


def _table(runs: Sequence[_Run]) -> str:
    """Return the table for docs/scale.md."""
    lines = ["| run | pictures | pictures/s, median | all rounds | first row after |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for name in (_LOCAL, _ALL, _ONE):
        own = [run for run in runs if run.name == name]
        rates = ", ".join(f"{run.rate:.0f}" for run in own)
        before = statistics.median(run.before_seconds for run in own)
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


def _log(message: str) -> None:
    log(f"{datetime.now(UTC):%H:%M:%S} {message}")


def main(count: int, rounds: int, minutes: int) -> None:
    """Measure, and print the table and the JSON."""
    # On SIGTERM, exit through the `finally` that stops the cluster.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    # All child processes share these two cores, on larger machines as well.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:_NODES])
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="flink-", dir=CACHE) as folder:
        _source(Path(folder, "in"), count)
        runs = _rounds(Path(folder), rounds, 60.0 * minutes)
    ratio = _rate(runs, _ALL) / _rate(runs, _ONE)
    overhead = 1 - _rate(runs, _ALL) / _rate(runs, _LOCAL)
    print(_table(runs))
    print(f"\nTwo nodes are {ratio:.2f} times as fast as one. Overhead on 2 cores: {overhead:.1%}.")
    result = {"two_nodes_to_one": ratio, "overhead": overhead, "runs": list(map(asdict, runs))}
    print(json.dumps({**result, "machine": describe_machine()}))


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    main(*(numbers + [20_000, 2, 12][len(numbers) :]))
