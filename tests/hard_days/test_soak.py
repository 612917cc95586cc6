"""Twenty seconds of the soak that `make soak` runs for half an hour."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Bucket

pytestmark = pytest.mark.beam


@pytest.mark.timeout(280)
def test_every_tenth_answer_a_fault(s3: Bucket, tmp_path: Path) -> None:
    """Rows are pictures, none twice, each with the label of a run without faults."""
    del s3  # its server and environment are wanted only
    options = ("--minutes", "0.15", "--pictures", "60", "--server", "there", "--seed", "3")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak", *options, "--output", str(tmp_path / "s.json")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=270,
    )
    assert 0 == done.returncode, done.stderr[-3000:]
    told = json.loads((tmp_path / "s.json").read_text())
    assert told["rounds"] * 60 == told["rows"]
    assert (0, 0, 0) == (told["duplicates"], told["wrong"], told["processes_left"])
    assert told["faults"] > 0
