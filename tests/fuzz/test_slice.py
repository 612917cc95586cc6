"""A slice of the fuzzing, the same on every run: every target's seeds and some changes of them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.fuzz.targets import MODULES

pytestmark = pytest.mark.beam

# Changed inputs for each target, so that the whole slice takes about twenty seconds.
_COUNTS = {"picture": 300, "graph": 40, "command": 25, "bundle": 60, "summary": 60, "part": 150}


@pytest.mark.parametrize("target", MODULES)
def test_whatever_comes_is_taken_or_refused_with_a_sentence(target: str, tmp_path: Path) -> None:
    """Only our own errors come out, within ten seconds each and a gigabyte; no decoder crashes."""
    count = str(_COUNTS.get(target, 300))
    command = [sys.executable, "-m", "tests.fuzz.child", target, str(tmp_path)]
    done = subprocess.run(
        [*command, "--drawn", count, "11"], cwd=ROOT, capture_output=True, text=True,
        check=False, timeout=200, errors="replace",
    )  # fmt: skip
    found = [path.read_text() for path in (tmp_path / "found").rglob("*.txt")]
    assert [] == found
    assert 0 == done.returncode, done.stderr[-2000:]
