"""Whether runs end within the interval that `seefood plan` states for them.

    python -m benchmarks.plan_interval [--shapes 12] [--busy]

For each shape of work (how many pictures, of which size, how many of them broken) it runs
`seefood plan --json` and `seefood classify`, and prints both; the last line is the share inside.
Only on a machine that does nothing else; with `--busy` on any. Then a run's seconds are computed
from CPU time, which other work hardly changes: that of a run of one picture, which starts and
ends on one core, and what the run took more than that, divided by the cores.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from PIL import Image

from seefood.engines.threads import available_cores
from seefood.synthetic import draw_picture

# Pictures, their longer side, the share that is cut off.
_SHAPES: Final = (
    (50, 320, 0.0), (400, 320, 0.0), (2000, 320, 0.0), (5000, 320, 0.0),
    (50, 1600, 0.0), (400, 1600, 0.0), (2000, 1600, 0.0),
    (50, 4000, 0.0), (200, 4000, 0.0),
    (400, 800, 0.5), (2000, 800, 0.1), (1000, 800, 0.0),
)  # fmt: skip


def _fill(folder: Path, count: int, side: int, broken: float) -> None:
    folder.mkdir()
    drawings = []
    for seed in range(8):
        small = draw_picture("hotdog_mustard" if seed % 2 else "house", seed, (800, 600))
        path = folder / f"{seed}.jpg"
        small.resize((side, side * 3 // 4), Image.Resampling.BICUBIC).save(path, quality=88)
        drawings.append(path.read_bytes())
        path.unlink()
    for number in range(count):
        data = drawings[number % len(drawings)]
        cut = number < broken * count
        (folder / f"{number:05d}.jpg").write_bytes(data[: len(data) // 3] if cut else data)


def _seefood(*arguments: str | Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "seefood", *map(str, arguments), "--json"],
        check=True,
        capture_output=True,
    )
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def _classify(source: Path, output: Path) -> tuple[float, float]:
    """Run the job; return its seconds and its CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = float(_seefood("classify", source, "--output", output)["seconds"])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _start_cpu_seconds() -> float:
    """Return what a run of one picture takes."""
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary) / "in"
        _fill(source, 1, 320, 0.0)
        return _classify(source, Path(temporary) / "out")[1]


def main() -> None:
    """Run the shapes and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shapes", type=int, default=len(_SHAPES))
    parser.add_argument("--busy", action="store_true")
    options = parser.parse_args()
    shapes = _SHAPES[: options.shapes]
    start = _start_cpu_seconds() if options.busy else 0.0
    inside = 0
    for count, side, broken in shapes:
        with tempfile.TemporaryDirectory() as temporary:
            source = Path(temporary) / "in"
            _fill(source, count, side, broken)
            quoted = _seefood("plan", source)["seconds"]
            took, cpu = _classify(source, Path(temporary) / "out")
        if options.busy:
            took = start + max(0.0, cpu - start) / available_cores()
        is_inside = quoted["low"] <= took <= quoted["high"]
        inside += is_inside
        print(
            f"{count:5} pictures of {side:4} px, {broken:.0%} broken: {quoted['low']:.1f} to "
            f"{quoted['high']:.1f} s, took {took:.1f} s{'' if is_inside else '  OUTSIDE'}",
            flush=True,
        )
    print(f"{inside} of {len(shapes)} inside")


if __name__ == "__main__":
    main()
