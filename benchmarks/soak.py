"""A soak: the real command over a real S3 server whose every tenth answer is a fault.

    python -m benchmarks.soak [--minutes 30] [--pictures 1500] [--rate 0.1] [--output FILE]

Round after round `seefood classify` labels the same bucket of drawn pictures into a fresh place,
through a front that throttles, fails, resets, cuts off, delays, refuses, loses and garbles. In some
rounds a run or its worker process is killed, or asked to stop. The command is given again until
nothing is left to do; then every picture must have one row, with the label that a run without
faults gave it, no process may be left, and the memory of the processes must not have grown.
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

from benchmarks.memory import Peak, watched
from benchmarks.s3_server import running
from benchmarks.setting import ROOT
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
    """What came of one round."""

    action: str
    runs: int = 0
    exits: list[int] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """The sentences of runs that stopped."""
    rows: int = 0
    doubles: int = 0
    wrong: int = 0
    """Rows without the label that a run without faults gave."""
    left: int = 0
    """Processes that outlived their run."""
    seconds: float = 0.0
    launcher_mb: int = 0
    workers_mb: int = 0
    faults: int = 0
    requests: int = 0


class _Weather:
    """Which requests meet a fault: each with the same chance, by a seed."""

    def __init__(self, rate: float, seed: int) -> None:
        self._rate = rate
        self._random = random.Random(seed)
        self.met: Counter[str] = Counter()
        self.asked = 0

    def choose(self, method: str, path: str) -> Fault | None:
        """See `FaultFront.choose`; called under its lock."""
        del path
        self.asked += 1
        if self._random.random() >= self._rate:
            return None
        kind = self._random.choice(_KINDS)
        self.met[f"{method} {kind}"] += 1
        return Fault(kind, seconds=_DELAY_SECONDS if kind == "delay" else 0.0)


def _client() -> "S3Client":
    import boto3  # noqa: PLC0415 (half a second)

    return boto3.client("s3")


def fill(pictures: int) -> None:
    """Put `pictures` drawn pictures into the bucket, no two with the same name."""
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


def labels(output: str) -> tuple[Counter[str], dict[str, str | None]]:
    """Return how many rows each picture has, and its label."""
    rows = list(read_rows(parse_location(output)))
    return Counter(row.uri for row in rows), {row.uri: row.label for row in rows}


def _passing(output: str) -> int:
    return sum(row.error_code in TRANSIENT for row in read_rows(parse_location(output)))


def _command(output: str) -> list[str]:
    return [
        *(sys.executable, "-m", "seefood", "classify", f"s3://{_BUCKET}/in/", "--output", output),
        *("--quiet", "--no-report", "--chunk-size", "64", "--max-failure-ratio", "1"),
    ]


@contextmanager
def _disturbed(process: "subprocess.Popen[str]", action: str, after: float) -> Iterator[None]:
    """Do `action` to the run once, so many seconds from now."""

    def act() -> None:
        if action == "kill":
            process.kill()
        elif action == "stop":
            process.terminate()
        else:
            import psutil  # noqa: PLC0415 (development only)

            for child in psutil.Process(process.pid).children()[:1]:
                child.kill()

    timer = threading.Timer(after, act)
    if action != "none":
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _run(output: str, endpoint: str, action: str, after: float) -> tuple[int, str, Peak]:
    process = subprocess.Popen(
        _command(output),
        cwd=ROOT,
        env={**os.environ, "AWS_ENDPOINT_URL": endpoint},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with watched(process.pid) as peak, _disturbed(process, action, after):
        _, said = process.communicate(timeout=_RUN_SECONDS)
    return process.returncode, said.strip(), peak


def one_round(number: int, front: FaultFront, expected: dict[str, str | None]) -> Round:
    """Classify all into a fresh place until nothing is left to do, and look at what is there."""
    began = time.monotonic()
    found = Round(_ACTIONS[number % len(_ACTIONS)])
    output = f"s3://{_BUCKET}/out-{number}"
    moments = random.Random(number)
    action = found.action
    while found.runs < _MAX_RUNS:
        code, said, peak = _run(output, front.endpoint, action, moments.uniform(2.0, 8.0))
        action = "none"
        found.runs += 1
        found.exits.append(code)
        found.left += peak.left
        found.launcher_mb = max(found.launcher_mb, peak.launcher_mb)
        found.workers_mb = max(found.workers_mb, peak.workers_mb)
        if code:
            found.said.append(said[-300:])
        elif not _passing(output):
            break
    counts, told = labels(output)
    found.rows = counts.total()
    found.doubles = found.rows - len(counts)
    found.wrong = sum(told.get(uri) != label for uri, label in expected.items())
    found.seconds = round(time.monotonic() - began, 1)
    _remove(f"out-{number}/")
    return found


def soak(seconds: float, pictures: int, rate: float, seed: int) -> dict[str, Any]:
    """Run rounds for `seconds` and return the account; the environment leads to an S3 server."""
    fill(pictures)
    clean = f"s3://{_BUCKET}/clean"
    code, said, _ = _run(clean, os.environ["AWS_ENDPOINT_URL"], "none", 0.0)
    expected = labels(clean)[1]
    if code or len(expected) != pictures or None in expected.values():
        sys.exit(f"the run without faults failed: {said}")
    weather = _Weather(rate, seed)
    rounds: list[Round] = []
    with FaultFront(os.environ["AWS_ENDPOINT_URL"]).running() as front:
        front.choose = weather.choose
        began = time.monotonic()
        while not rounds or time.monotonic() - began < seconds:
            asked, met = weather.asked, weather.met.total()
            found = one_round(len(rounds), front, expected)
            found.requests, found.faults = weather.asked - asked, weather.met.total() - met
            front.requests.clear()
            rounds.append(found)
            print(json.dumps(asdict(found)), file=sys.stderr, flush=True)
    return account(rounds, pictures, weather.met)


def account(rounds: list[Round], pictures: int, met: Counter[str]) -> dict[str, Any]:
    """Return what all rounds say together; `holds` is whether everything did."""
    launcher = [found.launcher_mb for found in rounds]
    workers = [found.workers_mb for found in rounds]
    half = max(1, len(rounds) // 2)
    growth = {
        "launcher_mb": round(fmean(launcher[-half:]) - fmean(launcher[:half]), 1),
        "workers_mb": round(fmean(workers[-half:]) - fmean(workers[:half]), 1),
    }
    bad = [
        number
        for number, found in enumerate(rounds)
        if found.rows != pictures or found.doubles or found.wrong or found.left
    ]
    return {
        "holds": not bad,
        "bad_rounds": bad,
        "pictures_each": pictures,
        "rounds": len(rounds),
        "runs": sum(found.runs for found in rounds),
        "rows": sum(found.rows for found in rounds),
        "seconds": round(sum(found.seconds for found in rounds), 1),
        "requests": sum(found.requests for found in rounds),
        "faults": sum(found.faults for found in rounds),
        "faults_by_kind": dict(met.most_common()),
        "exits": dict(Counter(code for found in rounds for code in found.exits)),
        "actions": dict(Counter(found.action for found in rounds)),
        "doubles": sum(found.doubles for found in rounds),
        "wrong": sum(found.wrong for found in rounds),
        "processes_left": sum(found.left for found in rounds),
        "peak_launcher_mb": {"least": min(launcher), "most": max(launcher)},
        "peak_workers_mb": {"least": min(workers), "most": max(workers)},
        "growth_second_half_over_first": growth,
        "each": [asdict(found) for found in rounds],
    }


def main() -> int:
    """Soak over a fresh server and write the account."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--pictures", type=int, default=1500)
    parser.add_argument("--rate", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path("build", "soak.json"))
    parser.add_argument(
        "--server", choices=("own", "there"), default="own",
        help="`there`: the one that AWS_ENDPOINT_URL leads to; `own` starts versitygw.",
    )  # fmt: skip
    asked = parser.parse_args()
    with ExitStack() as stack:
        if asked.server == "own":
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="seefood-soak-"))
            os.environ.update(stack.enter_context(running(Path(folder))))
        told = soak(60 * asked.minutes, asked.pictures, asked.rate, asked.seed)
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    asked.output.write_text(json.dumps(told, indent=2) + "\n")
    shown = {name: value for name, value in told.items() if name != "each"}
    print(json.dumps(shown, indent=2))
    return 0 if told["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
