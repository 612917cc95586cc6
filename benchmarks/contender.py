"""What each contender's script shares: the job it is given and the line it prints.

Nothing here but the standard library, so that no contender pays for another one's imports.
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
"""How the line with the result begins; runtimes print other things beside it."""


@dataclass(frozen=True, slots=True)
class Job:
    """What every contender is asked: read these pictures, label them, write the rows."""

    pictures: tuple[str, ...]
    """Paths of the files."""
    source: str
    """The same as a folder or a URI."""
    output: str
    """An existing empty folder; rows go there as Parquet with the columns `uri` and `label`."""
    bundle: str
    """Our model bundle, for ours and for the bare loops."""
    saved_model: str
    """The same network for TensorFlow: uint8 RGB `image` in, probabilities out."""
    onnx: str
    """The same network for onnxruntime."""
    labels: tuple[str, ...]
    side: int
    """The network's input height and width in pixels."""
    threads: int
    engine: str = "auto"
    """Of ours alone."""


def write_job(job: Job, file: Path) -> None:
    """Put `job` where `read_job` finds it."""
    file.write_text(json.dumps(asdict(job)))


def read_job(arguments: Sequence[str] | None = None) -> Job:
    """Return the job whose file is the first argument."""
    file = (sys.argv[1:] if arguments is None else arguments)[0]
    values = json.loads(Path(file).read_bytes())
    values["pictures"], values["labels"] = tuple(values["pictures"]), tuple(values["labels"])
    return Job(**values)


@contextmanager
def timed(job: Job) -> Iterator[None]:
    """Measure the block and print the result: after the imports, the model's loading included."""
    begun, cpu = time.perf_counter(), _cpu_seconds()
    yield
    seconds, seconds_cpu = time.perf_counter() - begun, _cpu_seconds() - cpu
    result = {
        "pictures": len(job.pictures),
        "seconds_loop": seconds,
        "seconds_cpu_loop": seconds_cpu,
        "peak_rss_mb": peak_rss_mb(),
    }
    sys.stdout.write(f"\n{RESULT}{json.dumps(result)}\n")
    sys.stdout.flush()


def _cpu_seconds() -> float:
    """Return what this process and the children that it waited for have computed so far."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def peak_rss_mb() -> float:
    """Return the most memory that this process held so far, in MB; 0 where Linux is not."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    lines = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return round(int(next(lines).split()[1]) * 1024 / 1e6, 1)
