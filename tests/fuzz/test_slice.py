"""A short part of the fuzzing: the seeds of each target and the same changes of them each time."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import ROOT
from tests.fuzz.targets import MODULES

pytestmark = pytest.mark.beam

# How many changed inputs each target gets; all targets together take about twenty seconds.
_DEFAULT_COUNT: Final = 300
_COUNTS: Final = {
    "picture": 300, "graph": 40, "command": 25, "bundle": 60, "summary": 60, "part": 150,
}  # fmt: skip


@pytest.mark.parametrize("module", sorted(set(MODULES.values())))
def test_any_input_is_accepted_or_refused_with_a_message(module: str, tmp_path: Path) -> None:
    """Only our errors are raised, no input hangs, and memory stays below 1 GB."""
    targets = ",".join(
        f"{name}={_COUNTS.get(name, _DEFAULT_COUNT)}"
        for name, home in MODULES.items()
        if home == module
    )
    command = [sys.executable, "-m", "tests.fuzz.child", targets, str(tmp_path), "--seed", "11"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=250,
        errors="replace",
    )  # fmt: skip
    failures = [path.read_text() for path in (tmp_path / "found").rglob("*.txt")]
    assert [] == failures
    assert 0 == done.returncode, done.stderr[-2000:]
