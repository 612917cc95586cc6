"""Runs `seefood classify` as a process and checks what it leaves."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from seefood.records import Row
from seefood.results.files import read_rows
from seefood.storage.local import TEMPORARY
from seefood.storage.uris import parse_location
from tests.conftest import ROOT, Bucket
from tests.pictures import jpeg

_QUIET: Final = ("--quiet", "--no-report")
_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class Ended:
    """Exit code and output of a run."""

    code: int
    out: str
    err: str

    def message(self) -> str:
        """Return the only line on stderr, which starts with the program's name."""
        (line,) = self.err.splitlines()
        assert line.startswith("seefood: "), line
        return line


def classify_command(source: str | Path, output: str | Path, *options: str) -> list[str]:
    """Return the command that classifies `source` into `output`."""
    command = [sys.executable, "-m", "seefood", "classify", str(source), "--output", str(output)]
    return [*command, *_QUIET, *options]


def start(
    command: list[str], environment: Mapping[str, str] | None = None
) -> "subprocess.Popen[str]":
    """Start a command with this process's environment and `environment`."""
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: "subprocess.Popen[str]", seconds: float = _SECONDS) -> Ended:
    """Wait until a command ends. Raises `TimeoutExpired`."""
    out, err = process.communicate(timeout=seconds)
    return Ended(process.returncode, out, err)


def classify(source: str | Path, output: str | Path, *options: str) -> Ended:
    """Run `seefood classify` to its end."""
    return finish(start(classify_command(source, output, *options)))


def wait_until(condition: Callable[[], object]) -> None:
    """Poll until `condition` is true. Raises `TimeoutError`."""
    deadline = time.monotonic() + _SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the condition did not become true")
        time.sleep(_POLL_SECONDS)


def children(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    """Return the processes that a run has started."""
    return list(psutil.Process(process.pid).children(recursive=True))


def fill(folder: Path, count: int) -> Path:
    """Make a folder of small pictures with different content."""
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:05d}.jpg").write_bytes(_picture(number))
    return folder


def fill_bucket(s3: Bucket, count: int) -> str:
    """Put small pictures with different content below `in/` and return that prefix's URI."""
    s3.put_many({f"in/{number:03d}.jpg": _picture(number) for number in range(count)})
    return f"{s3.uri}/in/"


def _picture(number: int) -> bytes:
    return jpeg((200, number % 256, number // 256))


def rows_once(output: str | Path) -> list[Row]:
    """Return the rows below `output` and check that no picture has two."""
    rows = list(read_rows(parse_location(str(output))))
    twice = [key for key, count in Counter((r.uri, r.etag) for r in rows).items() if count > 1]
    assert [] == twice
    return rows


def check_complete(output: str | Path, pictures: int) -> None:
    """Check that every picture has one row with a label and that no temporary file is left."""
    rows = rows_once(output)
    assert (pictures, pictures) == (len(rows), sum(row.label is not None for row in rows))
    if "://" not in str(output):
        assert [] == [path for path in Path(output).rglob("*") if TEMPORARY in path.name]
