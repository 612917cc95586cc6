"""A run may be killed at any moment, and two runs may start at once."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from seefood.results.files import read_rows
from seefood.storage.local import TEMPORARY
from seefood.storage.uris import parse_location
from tests.bundles import fake_bundle
from tests.conftest import ROOT, Bucket
from tests.pictures import gradient

pytestmark = pytest.mark.beam


def _pictures(folder: Path, count: int) -> Path:
    """Fill a folder with pictures that take a few milliseconds each."""
    folder.mkdir()
    gradient((2400, 1800)).save(folder / "0000.jpg", quality=90)
    for number in range(1, count):
        os.link(folder / "0000.jpg", folder / f"{number:04d}.jpg")
    return folder


def _killed_job(bundle: Path, source: Path, output: str, kills: int) -> dict[str, int]:
    command = [sys.executable, "-m", "tests.bulk.killed_job", str(bundle), str(source), output]
    done = subprocess.run(
        [*command, str(kills), "4"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return {str(k): int(v) for k, v in json.loads(done.stdout.splitlines()[-1]).items()}


def _check(output: str, pictures: int) -> None:
    """Check that every picture has exactly one row."""
    rows = Counter(row.uri for row in read_rows(parse_location(output)))
    assert pictures == len(rows)
    assert {1} == set(rows.values())


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ten_kills_leave_one_row_a_picture_and_no_other_file(tmp_path: Path) -> None:
    """After ten kills at random moments, a last run leaves one row each and no partial file."""
    count = 1600
    bundle = fake_bundle(tmp_path / "bundle").path
    source = _pictures(tmp_path / "in", count)
    output = tmp_path / "out"
    done = _killed_job(bundle, source, str(output), 10)
    assert {"killed": 10, "last": 0} == done
    _check(str(output), count)
    files = [path.relative_to(output) for path in output.rglob("*") if path.is_file()]
    assert [] == [path for path in files if TEMPORARY in path.name]
    kinds = {path.parts[0] if path.parts[0] == "results" else path.name for path in files}
    assert {"results", "summary.json"} == kinds
    assert {".parquet"} == {path.suffix for path in files if path.parts[0] == "results"}


def test_three_kills_over_s3(s3: Bucket, tmp_path: Path) -> None:
    """The same holds on an S3 server, where objects are not renamed."""
    count = 150
    bundle = fake_bundle(tmp_path / "bundle").path
    source = _pictures(tmp_path / "in", count)
    done = _killed_job(bundle, source, f"{s3.uri}/out", 3)
    assert 0 == done["last"]
    _check(f"{s3.uri}/out", count)
    names = {key.rpartition("/")[2].partition("-")[0] for key in s3.keys("out/")}
    assert {"part", "summary.json"} == names


def _finish(runs: Sequence["subprocess.Popen[str]"]) -> list[tuple[int, str]]:
    ended = []
    for run in runs:
        _, stderr = run.communicate(timeout=120)
        ended.append((run.returncode, stderr))
    return ended


def test_of_two_runs_at_once_one_is_refused(tmp_path: Path) -> None:
    """One run classifies all pictures, and the other one says that the output is taken."""
    count = 100
    bundle = fake_bundle(tmp_path / "bundle").path
    source = _pictures(tmp_path / "in", count)
    code = (
        "import sys; from pathlib import Path; from seefood.runs.run_spec import RunOptions;"
        "from seefood_pipeline.launcher import launch;"
        "from seefood_pipeline.request import Request;"
        "launch(Request((sys.argv[2],), sys.argv[3], Path(sys.argv[1]),"
        " RunOptions(engine='fake'), report=False), 'quiet')"
    )
    command = [sys.executable, "-c", code, str(bundle), str(source), str(tmp_path / "out")]
    runs = [
        subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    ended = sorted(_finish(runs))
    _check(str(tmp_path / "out"), count)
    assert 0 == ended[0][0]
    # The second one may have started after the first had ended; then it has nothing to do.
    assert ended[1][0] == 0 or "is taken" in ended[1][1]
