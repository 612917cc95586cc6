"""The wall time of commands from the shell, start-up included."""

import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.job import Job, write_job
from benchmarks.networks import SIDE, ensure_networks
from benchmarks.pictures import LABELS, ensure_pictures
from benchmarks.progress import log
from benchmarks.sections import Bar, Section, at_most
from benchmarks.settings import ROOT, Settings, python

_PREDICT: Final = "`seefood predict one.jpg`"
_HELP: Final = "`seefood --help`"
_IMPORT: Final = "`python -c 'import seefood'`"
_TENSORFLOW: Final = "Python + TensorFlow, the same network"
_INTERPRETER: Final = "Python itself (`python -c pass`)"


def measure_single(settings: Settings) -> Section:
    """Run each command a few times, in turns, and return the medians of their wall times."""
    networks = ensure_networks()
    pictures = ensure_pictures("web", settings.choose(2283, 380))
    seefood = str(python().parent / "seefood")
    picture = str(pictures.files[0])
    with tempfile.TemporaryDirectory(prefix="seefood-bench-") as scratch:
        file = Path(scratch) / "job.json"
        job = Job(
            pictures=(picture,),
            source=picture,
            output=scratch,
            bundle=str(networks.float32),
            saved_model=str(networks.exported),
            onnx="",
            labels=LABELS,
            side=SIDE,
            threads=1,
        )
        write_job(job, file)
        commands = {
            _PREDICT: [seefood, "predict", picture, "--model", str(networks.float32)],
            _HELP: [seefood, "--help"],
            _IMPORT: [str(python()), "-c", "import seefood"],
            _TENSORFLOW: [str(python()), "-m", "benchmarks.contenders.tf_one", str(file)],
            _INTERPRETER: [str(python()), "-c", "pass"],
        }
        rounds = settings.rounds or settings.choose(9, 3)
        for command in commands.values():
            _seconds(command)  # the first run reads the files into the page cache
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                if name != _TENSORFLOW or len(seconds[name]) < 3:
                    seconds[name].append(_seconds(command))
    median = {name: statistics.median(values) for name, values in seconds.items()}
    for name, value in median.items():
        log(f"  {name}: {value:.3f} s")
    return Section(
        title="One picture, from the shell",
        note=f"Wall time from start to exit, medians of {rounds} runs in turns (TensorFlow: 3).",
        columns=("command", "s", "fastest", "slowest"),
        rows=tuple(
            (name, f"{median[name]:.3f}", f"{min(values):.3f}", f"{max(values):.3f}")
            for name, values in seconds.items()
        ),
        aims=(
            at_most(f"{_PREDICT}, cold", 1.0, median[_PREDICT]),
            at_most(_HELP, 0.3, median[_HELP]),
            at_most(
                f"{_IMPORT}, above Python itself", 0.05, median[_IMPORT] - median[_INTERPRETER]
            ),
        ),
        bars=tuple(
            Bar(name.replace("`", ""), value, "seefood" in name) for name, value in median.items()
        ),
        unit="s, start to exit",
        data={"seconds": seconds},
    )


def _seconds(command: Sequence[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - start
