"""A model of jobs with ten million and a billion pictures: times, sizes and memory.

    python -m benchmarks.scale_model

Computes them from the measured constants below; nothing is measured at that size. Slow nodes are
simulated: each chunk gets a time, and chunks go to nodes in turn, as Flink assigns them, or to the
next free node, as a queue would.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

# Measured; docs/bulk.md and docs/scale.md name the benchmarks.
LIST_KEYS_PER_SECOND: Final = 45_000.0  # the job's parallel listing, 50 ms a page
STREAM_KEYS_PER_SECOND: Final = 15_500.0  # obstore's stream
REF_BYTES: Final = 170  # a reference inside a chunk, pickled
LEDGER_BYTES: Final = 16  # a picture that has a row, on the lister
PART_NAME_BYTES: Final = 150  # a result object's URI and tag in before.json
PART_READ_MS: Final = 12.0  # the launcher reads a result object to show progress
ROW_BYTES: Final = 60  # of Parquet, in parts of 512
DEDUPLICATE_BYTES: Final = 48  # a row, while duplicate rows are removed
# Assumed.
CORE_PICTURES_PER_SECOND: Final = 130.0
PICTURE_SPREAD: Final = 0.6  # log-normal sigma of a picture's time
GIANTS: Final = 1e-4  # the share of pictures that take GIANT_TIMES as long
GIANT_TIMES: Final = 60.0
SLOW_NODE: Final = 0.7  # one node in twenty works at this speed
ROUND_TRIP_MS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The size of a job."""

    pictures: int
    chunk: int
    nodes: int
    cores: int

    @property
    def chunks(self) -> int:
        """The number of chunks, and of result objects."""
        return -(-self.pictures // self.chunk)


@dataclass(frozen=True, slots=True)
class Makespan:
    """When the last node finishes, in seconds, by how chunks are assigned."""

    ideal: float
    alike: float
    """In turn, as Flink's rebalance does, to nodes of one speed."""
    in_turn: float
    """In turn, with some slow nodes."""
    pulled: float
    """To the next free node."""


def simulate(plan: Plan, seed: int = 7) -> Makespan:
    """Return when the last node finishes."""
    random = np.random.default_rng(seed)
    each = 1.0 / (CORE_PICTURES_PER_SECOND * plan.cores)
    # A chunk's time is the sum of its pictures' times.
    mean = each * plan.chunk
    deviation = each * np.sqrt(plan.chunk * (np.exp(PICTURE_SPREAD**2) - 1))
    times = np.maximum(random.normal(mean, deviation, plan.chunks), mean / 4)
    times += random.poisson(plan.chunk * GIANTS, plan.chunks) * each * GIANT_TIMES
    speed = np.ones(plan.nodes)
    speed[::20] = SLOW_NODE
    node = np.arange(plan.chunks) % plan.nodes
    in_turn = (np.bincount(node, times, plan.nodes) / speed).max()
    alike = np.bincount(node, times, plan.nodes).max()
    ideal = times.sum() / speed.sum()
    return Makespan(float(ideal), float(alike), float(in_turn), _pulled(times, speed))


def _pulled(
    times: "np.typing.NDArray[np.float64]", speed: "np.typing.NDArray[np.float64]"
) -> float:
    """Return an upper bound of the time when each chunk goes to the next free node."""
    return float(times.sum() / speed.sum() + times.max() / speed.min())


def figures(plan: Plan) -> dict[str, str]:
    """Return the job's figures by name."""
    makespan = simulate(plan)
    restart_lost = 3 * plan.chunk * plan.nodes
    return {
        "pictures": f"{plan.pictures:,}",
        "chunk, nodes x cores": f"{plan.chunk:,}, {plan.nodes} x {plan.cores}",
        "listing, many threads": _time(plan.pictures / LIST_KEYS_PER_SECOND),
        "listing, one stream": _time(plan.pictures / STREAM_KEYS_PER_SECOND),
        "references through the shuffle": _size(plan.pictures * REF_BYTES),
        "result objects": f"{plan.chunks:,} of {_size(plan.chunk * ROW_BYTES)}",
        "writing them, share of the work": (
            f"{ROUND_TRIP_MS / 1e3 / (plan.chunk / CORE_PICTURES_PER_SECOND / plan.cores):.1%}"
        ),
        "next night: names in before.json": _size(plan.chunks * PART_NAME_BYTES),
        "next night: ledger in memory": _size(plan.pictures * LEDGER_BYTES),
        "next night: listing the results": _time(plan.chunks / LIST_KEYS_PER_SECOND),
        "launcher: one progress update": _time(plan.chunks / LIST_KEYS_PER_SECOND),
        "launcher: reading results, CPU": _time(plan.chunks * PART_READ_MS / 1e3),
        "`--force`: removing duplicate rows": _size(plan.pictures * DEDUPLICATE_BYTES),
        "work, evenly spread": _time(makespan.ideal),
        "work, chunks in turn, nodes alike": _time(makespan.alike),
        "work, chunks in turn, some nodes slow": _time(makespan.in_turn),
        "work, chunks pulled": f"at most {_time(makespan.pulled)}",
        "a restart repeats, at most": f"{restart_lost:,} pictures",
    }


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def main() -> None:
    """Print a table."""
    plans = (
        Plan(10_000_000, 512, 20, 2),
        Plan(1_000_000_000, 512, 200, 8),
        Plan(1_000_000_000, 4096, 200, 8),
    )
    columns = [figures(plan) for plan in plans]
    for name in columns[0]:
        print(f"| {name} | " + " | ".join(column[name] for column in columns) + " |")


if __name__ == "__main__":
    main()
