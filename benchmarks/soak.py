"""A soak test: `seefood classify` over a real S3 server, with a fault in every tenth response.

    python -m benchmarks.soak [--minutes 30] [--pictures 1500] [--rate 0.1] [--output FILE]

Each round labels the same bucket of drawn pictures into a new output, through a proxy that
throttles, fails, resets, truncates, delays, denies, loses and garbles responses. In some rounds
the run or its worker process is killed, or the run receives SIGTERM. The command is repeated until
nothing is left to do. Then every picture must have one row, with the same label as in a run
without faults, and no process may be left. The result also shows whether memory grew.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

import psutil

from benchmarks.memory import PeakMemory, track_peak_memory
from benchmarks.progress import log
from benchmarks.s3_server import running
from benchmarks.settings import ROOT
from seefood.results.files import read_rows
from seefood.results.ledger import TRANSIENT
from seefood.storage.uris import parse_location
from seefood.synthetic import KINDS, draw_picture
from tests.fault_front import Fault, FaultFront, Kind

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_BUCKET: Final = "soak"
_SIZE: Final = (256, 192)
_DRAWN: Final = 40
_MAX_RUNS: Final = 25
_RUN_SECONDS: Final = 600.0
_DELAY_SECONDS: Final = 0.5
_KINDS: Final[tuple[Kind, ...]] = (
    "slow_down", "slow_down", "error", "error", "reset", "reset", "truncate", "truncate",
    "delay", "delay", "lost", "garbage", "forbidden",
)  # fmt: skip
_ACTIONS: Final = ("none", "none", "kill", "none", "stop", "none", "kill a worker")


@dataclass(slots=True)
class Round:
    """The result of one round."""

    action: str
    runs: int = 0
    exit_codes: list[int] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    """The stderr of runs that failed."""
    rows: int = 0
    duplicates: int = 0
    wrong: int = 0
    """Pictures whose label differs from the run without faults."""
    left: int = 0
    """Processes that outlived their run."""
    seconds: float = 0.0
    launcher_mb: int = 0
    workers_mb: int = 0
    faults: int = 0
    requests: int = 0


class _RandomFaults:
    """Chooses a fault for each request with probability `rate`."""

    def __init__(self, rate: float, seed: int) -> None:
        self._rate = rate
        self._random = random.Random(seed)
        self.faults: Counter[str] = Counter()
        self.requests = 0

    def choose(self, method: str, path: str) -> Fault | None:
        """See `FaultFront.choose`; called under its lock."""
        del path
        self.requests += 1
        if self._random.random() >= self._rate:
            return None
        kind = self._random.choice(_KINDS)
        self.faults[f"{method} {kind}"] += 1
        return Fault(kind, seconds=_DELAY_SECONDS if kind == "delay" else 0.0)


def _client() -> "S3Client":
    import boto3  # noqa: PLC0415 (takes half a second)

    return boto3.client("s3")


def fill(pictures: int) -> None:
    """Put `pictures` drawn pictures into a new bucket."""
    client = _client()
    client.create_bucket(Bucket=_BUCKET)
    with tempfile.TemporaryDirectory() as folder:
        drawn = []
        for number in range(min(_DRAWN, pictures)):
            file = Path(folder, f"{number}.jpg")
            draw_picture(KINDS[number % len(KINDS)], number, _SIZE).save(file, quality=85)
            drawn.append(file.read_bytes())
    for number in range(pictures):
        key = f"in/{number // 500:03d}/{number:05d}.jpg"
        client.put_object(Bucket=_BUCKET, Key=key, Body=drawn[number % len(drawn)])


def _remove(prefix: str) -> None:
    client = _client()
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=_BUCKET, Prefix=prefix):
        for item in page.get("Contents", []):
            client.delete_object(Bucket=_BUCKET, Key=item["Key"])


def read_labels(output: str) -> tuple[Counter[str], dict[str, str | None]]:
    """Return the number of rows and the label of each picture."""
    rows = list(read_rows(parse_location(output)))
    return Counter(row.uri for row in rows), {row.uri: row.label for row in rows}


def _transient_failures(output: str) -> int:
    return sum(row.error_code in TRANSIENT for row in read_rows(parse_location(output)))


def _command(output: str) -> list[str]:
    return [
        *(sys.executable, "-m", "seefood", "classify", f"s3://{_BUCKET}/in/", "--output", output),
        *("--quiet", "--no-report", "--chunk-size", "64", "--max-failure-ratio", "1"),
    ]


@contextmanager
def _disturbed(
    process: "subprocess.Popen[str]", action: str, after_seconds: float
) -> Iterator[None]:
    """Apply `action` to the run once, `after_seconds` from now."""

    def act() -> None:
        if action == "kill":
            process.kill()
        elif action == "stop":
            process.terminate()
        else:
            for child in psutil.Process(process.pid).children()[:1]:
                child.kill()

    timer = threading.Timer(after_seconds, act)
    if action != "none":
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _run(
    output: str, endpoint: str, action: str, after_seconds: float
) -> tuple[int, str, PeakMemory]:
    """Run the command; return its exit code, its stderr and its peak memory."""
    process = subprocess.Popen(
        _command(output),
        cwd=ROOT,
        env={**os.environ, "AWS_ENDPOINT_URL": endpoint},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with track_peak_memory(process.pid) as peak, _disturbed(process, action, after_seconds):
        _, message = process.communicate(timeout=_RUN_SECONDS)
    return process.returncode, message.strip(), peak


def one_round(number: int, front: FaultFront, expected: dict[str, str | None]) -> Round:
    """Repeat the command for a new output until nothing is left to do; check the rows."""
    start = time.monotonic()
    result = Round(_ACTIONS[number % len(_ACTIONS)])
    output = f"s3://{_BUCKET}/out-{number}"
    delays = random.Random(number)
    action = result.action
    while result.runs < _MAX_RUNS:
        code, message, peak = _run(output, front.endpoint, action, delays.uniform(2.0, 8.0))
        action = "none"
        result.runs += 1
        result.exit_codes.append(code)
        result.left += peak.left
        result.launcher_mb = max(result.launcher_mb, peak.launcher_mb)
        result.workers_mb = max(result.workers_mb, peak.workers_mb)
        if code:
            result.messages.append(message[-300:])
        elif not _transient_failures(output):
            break
    counts, labels = read_labels(output)
    result.rows = counts.total()
    result.duplicates = result.rows - len(counts)
    result.wrong = sum(labels.get(uri) != label for uri, label in expected.items())
    result.seconds = round(time.monotonic() - start, 1)
    _remove(f"out-{number}/")
    return result


def soak(seconds: float, pictures: int, rate: float, seed: int) -> dict[str, Any]:
    """Run rounds for `seconds` over the S3 server at AWS_ENDPOINT_URL; return the summary."""
    fill(pictures)
    clean = f"s3://{_BUCKET}/clean"
    code, message, _ = _run(clean, os.environ["AWS_ENDPOINT_URL"], "none", 0.0)
    expected = read_labels(clean)[1]
    if code or len(expected) != pictures or None in expected.values():
        sys.exit(f"the run without faults failed: {message}")
    random_faults = _RandomFaults(rate, seed)
    rounds: list[Round] = []
    with FaultFront(os.environ["AWS_ENDPOINT_URL"]).running() as front:
        front.choose = random_faults.choose
        start = time.monotonic()
        while not rounds or time.monotonic() - start < seconds:
            requests, faults = random_faults.requests, random_faults.faults.total()
            result = one_round(len(rounds), front, expected)
            result.requests = random_faults.requests - requests
            result.faults = random_faults.faults.total() - faults
            front.requests.clear()
            rounds.append(result)
            log(json.dumps(asdict(result)))
    return summarize(rounds, pictures, random_faults.faults)


def summarize(rounds: list[Round], pictures: int, faults: Counter[str]) -> dict[str, Any]:
    """Return the figures of all rounds; `passed` says whether every round was right."""
    launcher = [each.launcher_mb for each in rounds]
    workers = [each.workers_mb for each in rounds]
    half = max(1, len(rounds) // 2)
    growth = {
        "launcher_mb": round(fmean(launcher[-half:]) - fmean(launcher[:half]), 1),
        "workers_mb": round(fmean(workers[-half:]) - fmean(workers[:half]), 1),
    }
    bad = [
        number
        for number, each in enumerate(rounds)
        if each.rows != pictures or each.duplicates or each.wrong or each.left
    ]
    return {
        "passed": not bad,
        "bad_rounds": bad,
        "pictures_each": pictures,
        "rounds": len(rounds),
        "runs": sum(each.runs for each in rounds),
        "rows": sum(each.rows for each in rounds),
        "seconds": round(sum(each.seconds for each in rounds), 1),
        "requests": sum(each.requests for each in rounds),
        "faults": sum(each.faults for each in rounds),
        "faults_by_kind": dict(faults.most_common()),
        "exit_codes": dict(Counter(code for each in rounds for code in each.exit_codes)),
        "actions": dict(Counter(each.action for each in rounds)),
        "duplicates": sum(each.duplicates for each in rounds),
        "wrong": sum(each.wrong for each in rounds),
        "processes_left": sum(each.left for each in rounds),
        "peak_launcher_mb": {"min": min(launcher), "max": max(launcher)},
        "peak_workers_mb": {"min": min(workers), "max": max(workers)},
        "growth_second_half_over_first": growth,
        "each": [asdict(each) for each in rounds],
    }


def main() -> int:
    """Run the soak test and write its summary; return 0 if every round was right."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--pictures", type=int, default=1500)
    parser.add_argument("--rate", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path("build", "soak.json"))
    parser.add_argument(
        "--server", choices=("own", "there"), default="own",
        help="own: start versitygw; there: use the server at AWS_ENDPOINT_URL",
    )  # fmt: skip
    options = parser.parse_args()
    with ExitStack() as stack:
        if options.server == "own":
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="seefood-soak-"))
            os.environ.update(stack.enter_context(running(Path(folder))))
        summary = soak(60 * options.minutes, options.pictures, options.rate, options.seed)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(summary, indent=2) + "\n")
    print(json.dumps({key: value for key, value in summary.items() if key != "each"}, indent=2))
    return 0 if summary["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
