"""A Flink cluster against the runner in one process, and two nodes against one.

    python -m benchmarks.flink [COUNT [ROUNDS]]        default: 20000 3

One run, rounds interleaved, the model in the box, web-like pictures as files of this machine. A
node's workers have one core for themselves; the runner in one process has as many cores as the
cluster has nodes. A rate is rows between the first and the last `classified_at`: what it takes to
start, to submit and to stop is left out. Prints a table, and last one line of JSON.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.pictures import ensure_pictures
from benchmarks.setting import ROOT
from infra.flink.cluster import Cluster, start, stop
from seefood.results import read_rows
from seefood.uris import parse_location

_ORIGINALS: Final = 500
_PORTS: Final = (18081, 16123, 15000)


def _source(folder: Path, count: int) -> Path:
    """Make `count` names out of a few pictures, as links."""
    files = ensure_pictures("web", _ORIGINALS).files
    for number in range(count):
        target = folder / f"{number // 1000:04d}" / f"{number:06d}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(files[number % len(files)], target)
    return folder


def _rate(source: Path, output: Path, beam: Sequence[str], cores: Sequence[int]) -> float:
    """Run the job and return its pictures per second."""
    shutil.rmtree(output, ignore_errors=True)
    command = [sys.executable, "-m", "seefood", "classify", str(source), "--output", str(output)]
    subprocess.run(
        [
            *("taskset", "--cpu-list", ",".join(map(str, cores))),
            *(*command, "--no-report", "--quiet", "--chunk-size", "128"),
            *(("--", *beam) if beam else ()),
        ],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    times = sorted(row.classified_at for row in read_rows(parse_location(str(output))))
    return len(times) / (times[-1] - times[0]).total_seconds()


def _on_cluster(source: Path, scratch: Path, nodes: int, cores: Sequence[int]) -> float:
    """Start a cluster of `nodes`, run the job on it, stop it."""
    rest, rpc, pool = _PORTS
    cluster = Cluster(scratch / f"cluster-{nodes}", rest, rpc, pool, nodes, slots=1, pinned=True)
    beam = (
        "--runner=FlinkRunner",
        f"--flink_master={cluster.master}",
        f"--environment_config=localhost:{pool}",
        f"--parallelism={nodes}",
    )
    try:
        start(cluster)
        return _rate(source, scratch / "out", beam, cores)
    finally:
        stop(cluster)


def main(count: int, rounds: int) -> None:
    """Print a table."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    rates: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="flink-", dir=Path.home() / ".cache") as folder:
        scratch = Path(folder)
        source = _source(scratch / "in", count)
        for _ in range(rounds):
            for name, measure in (
                ("in one process, 2 cores", partial(_rate, source, scratch / "out", (), cores)),
                ("Flink, 2 nodes of 1 core", partial(_on_cluster, source, scratch, 2, cores)),
                ("Flink, 1 node of 1 core", partial(_on_cluster, source, scratch, 1, cores)),
                ("in one process, 1 core", partial(_rate, source, scratch / "out", (), cores[:1])),
            ):
                rate = measure()
                rates.setdefault(name, []).append(rate)
                print(f"{name:<26} {rate:7.1f} pictures/s", file=sys.stderr, flush=True)
    middle = {name: statistics.median(found) for name, found in rates.items()}
    local2, flink2, flink1, local1 = middle.values()
    result = {
        "pictures": count,
        "rounds": rounds,
        "rates": rates,
        "two_nodes_to_one": flink2 / flink1,
        "two_cores_to_one_in_process": local2 / local1,
        "overhead": 1 - flink2 / local2,
    }
    print("| runner | pictures/s, median | all rounds |\n| --- | --- | --- |")
    for name, found in rates.items():
        print(f"| {name} | {middle[name]:.0f} | {', '.join(f'{rate:.0f}' for rate in found)} |")
    print(f"2 nodes to 1: {flink2 / flink1:.2f}; overhead at 2 cores: {1 - flink2 / local2:.1%}")
    print(json.dumps(result))


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    main(*(numbers + [20_000, 3][len(numbers) :]))
