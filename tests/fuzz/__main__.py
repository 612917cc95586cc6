"""Fuzzes the targets in turn, each in a process of its own.

    python -m tests.fuzz --minutes 60 [--jobs 2] [--folder build/fuzz] [TARGET ...]

Needs atheris (part of the `dev` extra where it has a wheel). The folder keeps the corpora, the
failing inputs and `report.json`; exit code 1 if an input failed.
"""

import argparse
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Final

from tests.fuzz.targets import MODULES

_TURN_SECONDS: Final = 120
_GRACE_SECONDS: Final = 300
"""For imports on a busy machine."""
_DONE: Final = re.compile(rb"number_of_executed_units:\s*(\d+)")
_PEAK: Final = re.compile(rb"peak_rss_mb:\s*(\d+)")


@dataclass(slots=True)
class Account:
    """What was done for one target."""

    cpu_seconds: float = 0.0
    inputs: int = 0
    peak_mb: int = 0
    ends: dict[str, int] = field(default_factory=dict)
    """Count of processes by exit code; 77 and others are a crash, a hang or too much memory."""


def _turn(name: str, folder: Path, seconds: int, account: Account) -> None:
    command = [sys.executable, "-m", "tests.fuzz.child", name, str(folder)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*command, "--guided", str(seconds)], stdout=log, stderr=subprocess.STDOUT
        )
        killer = threading.Timer(seconds + _GRACE_SECONDS, process.kill)
        killer.start()
        _, status, used = os.wait4(process.pid, 0)
        killer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        output = log.read()
    account.cpu_seconds += used.ru_utime + used.ru_stime
    end = str(process.returncode)
    account.ends[end] = account.ends.get(end, 0) + 1
    if match := _DONE.search(output):
        account.inputs += int(match[1])
    if match := _PEAK.search(output):
        account.peak_mb = max(account.peak_mb, int(match[1]))
    if process.returncode:
        (folder / f"output-{name}-{time.time():.0f}.txt").write_bytes(output[-30_000:])


def main() -> int:
    """Fuzz until the time is over and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path("build", "fuzz"))
    args = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        sys.exit("atheris is not installed; it has wheels for Linux on x86-64 up to Python 3.12")
    names = args.targets or list(MODULES)
    accounts = {name: Account() for name in names}
    for name in names:
        (args.folder / "found" / name).mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + 60.0 * args.minutes
    waiting, lock = cycle(names), threading.Lock()
    turn = min(_TURN_SECONDS, max(5, int(60 * args.minutes * args.jobs / len(names))))

    def work() -> None:
        while (left := deadline - time.monotonic()) > 2:
            with lock:
                name = next(waiting)
            _turn(name, args.folder, max(2, min(turn, int(left))), accounts[name])
            with lock:
                _write(args.folder, accounts)

    threads = [threading.Thread(target=work) for _ in range(args.jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _print(args.folder, accounts)


def _write(folder: Path, accounts: dict[str, Account]) -> None:
    report = {name: asdict(account) for name, account in accounts.items()}
    (folder / "report.json").write_text(json.dumps(report, indent=2) + "\n")


def _print(folder: Path, accounts: dict[str, Account]) -> int:
    count = 0
    print(f"{'target':<10} {'CPU s':>8} {'inputs':>12} {'peak MB':>8}  found")  # noqa: T201
    for name, account in accounts.items():
        kept = [path for path in (folder / "found" / name).iterdir() if path.suffix != ".txt"]
        count += len(kept)
        line = f"{name:<10} {account.cpu_seconds:8.0f} {account.inputs:12,} {account.peak_mb:8,}"
        print(f"{line}  {len(kept)}")  # noqa: T201
    total = sum(account.cpu_seconds for account in accounts.values())
    print(f"{total / 60:.1f} minutes of CPU; found: {count}, in {folder / 'found'}")  # noqa: T201
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
