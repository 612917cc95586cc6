"""A few seconds of the soak test that `make soak` runs for half an hour."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Bucket

pytestmark = pytest.mark.beam


@pytest.mark.slow
@pytest.mark.timeout(280)
def test_every_tenth_response_is_a_fault(s3: Bucket, tmp_path: Path) -> None:
    """Each picture has one row, with the label of a run without faults."""
    del s3  # only its server and environment variables are used
    options = ("--minutes", "0.05", "--pictures", "20", "--server", "there", "--seed", "3")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak", *options, "--output", str(tmp_path / "s.json")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=270,
    )
    assert 0 == done.returncode, done.stderr[-3000:]
    report = json.loads((tmp_path / "s.json").read_text())
    assert report["rounds"] * 20 == report["rows"]
    assert (0, 0, 0) == (report["duplicates"], report["wrong"], report["processes_left"])
    assert report["faults"] > 0
