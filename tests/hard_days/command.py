"""`seefood classify` as a user gives it, a process of its own, and what must be so afterwards."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from seefood.records import Row
from seefood.results.files import read_rows
from seefood.storage.local import TEMPORARY
from seefood.storage.uris import parse_location
from tests.conftest import ROOT
from tests.pictures import jpeg

QUIET: Final = ("--quiet", "--no-report")
_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str

    def sentence(self) -> str:
        """Return the one line on stderr, which begins with the program's name."""
        (line,) = self.err.splitlines()
        assert line.startswith("seefood: "), line
        return line


def words(source: str | Path, output: str | Path, *options: str) -> list[str]:
    """Return the command that classifies `source` into `output`."""
    own = [sys.executable, "-m", "seefood", "classify", str(source), "--output", str(output)]
    return [*own, *QUIET, *options]


def start(
    command: list[str], environment: Mapping[str, str] | None = None
) -> "subprocess.Popen[str]":
    """Start a command; `environment` comes on top of this process's."""
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: "subprocess.Popen[str]") -> Ended:
    """Wait for the end of a command."""
    out, err = process.communicate(timeout=_SECONDS)
    return Ended(process.returncode, out, err)


def classify(source: str | Path, output: str | Path, *options: str) -> Ended:
    """Run the command to its end."""
    return finish(start(words(source, output, *options)))


def fill(folder: Path, count: int) -> Path:
    """Make a folder of small pictures, no two alike."""
    folder.mkdir()
    for number in range(count):
        colour = (200, number % 256, number // 256)
        (folder / f"{number:05d}.jpg").write_bytes(jpeg(colour))
    return folder


def rows_once(output: str | Path) -> list[Row]:
    """Return the rows below `output`, of which no picture has two; nothing is half-written."""
    rows = list(read_rows(parse_location(str(output))))
    twice = [key for key, count in Counter((r.uri, r.etag) for r in rows).items() if count > 1]
    assert [] == twice
    return rows


def check_complete(output: str | Path, pictures: int) -> None:
    """Every picture has one row with a label, and a local output holds nothing half-written."""
    rows = rows_once(output)
    assert (pictures, pictures) == (len(rows), sum(row.label is not None for row in rows))
    if "://" not in str(output):
        assert [] == [path for path in Path(output).rglob("*") if TEMPORARY in path.name]
