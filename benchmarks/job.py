"""The job file that a contender's script reads, and the result line that it prints.

Imports only the standard library, so that no contender loads another one's libraries.
"""

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

RESULT: Final = "RESULT "
"""The beginning of the result line; libraries print other lines to stdout as well."""


@dataclass(frozen=True, slots=True)
class Job:
    """Read these pictures, label them and write the rows."""

    pictures: tuple[str, ...]
    """Paths of the files."""
    source: str
    """The same pictures as a folder or a URI."""
    output: str
    """An existing empty folder; rows go there as Parquet with the columns `uri` and `label`."""
    bundle: str
    """The seefood bundle, for seefood and the bare loops."""
    saved_model: str
    """The same network for TensorFlow: uint8 RGB `image` in, probabilities out."""
    onnx: str
    """The same network for onnxruntime."""
    labels: tuple[str, ...]
    side: int
    """The network's input height and width in pixels."""
    threads: int
    engine: str = "auto"
    """The engine of seefood."""
    torch: str = ""
    """The weights of the same network for torchvision (`benchmarks.torch_weights`)."""


def write_job(job: Job, file: Path) -> None:
    """Write `job` as JSON."""
    file.write_text(json.dumps(asdict(job)))


def read_job(arguments: Sequence[str] | None = None) -> Job:
    """Return the job whose file is the first argument."""
    file = (sys.argv[1:] if arguments is None else arguments)[0]
    values = json.loads(Path(file).read_bytes())
    values["pictures"], values["labels"] = tuple(values["pictures"]), tuple(values["labels"])
    return Job(**values)


@contextmanager
def timed(job: Job) -> Iterator[None]:
    """Measure the block and print the result line.

    The block loads the model and labels the pictures; imports happen before it.
    """
    start, cpu = time.perf_counter(), _cpu_seconds()
    yield
    seconds, seconds_cpu = time.perf_counter() - start, _cpu_seconds() - cpu
    result = {
        "pictures": len(job.pictures),
        "seconds_loop": seconds,
        "seconds_cpu_loop": seconds_cpu,
        "peak_rss_mb": peak_rss_mb(),
    }
    sys.stdout.write(f"\n{RESULT}{json.dumps(result)}\n")
    sys.stdout.flush()


def _cpu_seconds() -> float:
    """Return the CPU time so far of this process and of the children that it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def peak_rss_mb() -> float:
    """Return this process's peak resident memory in MB; 0 on systems other than Linux."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    lines = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return round(int(next(lines).split()[1]) * 1024 / 1e6, 1)
