"""Thousands of failures in a row: memory and logs do not grow with them."""

from pathlib import Path

import pytest

from benchmarks.memory import track_peak_memory
from tests.hard_days.command import classify_command, finish, rows_once, start

pytestmark = pytest.mark.beam
_COUNT = 5_000


def test_failures_take_no_memory_and_fill_no_log(tmp_path: Path) -> None:
    """Each has a row; the verbose log has some lines about the run and none about a picture."""
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for number in range(_COUNT):
        (folder / f"{number:05d}.jpg").write_bytes(b"no picture %d" % number)
    command = classify_command(folder, output)
    command[3:3] = ["--verbose"]
    run = start(command)
    with track_peak_memory(run.pid) as peak:
        ended = finish(run)
    assert 0 == ended.code, ended.err[-2000:]
    rows = rows_once(output)
    assert _COUNT == len(rows)
    assert {"not_an_image"} == {row.error_code for row in rows}
    assert len(ended.err) < 100_000
    assert ".jpg" not in ended.err
    assert peak.launcher_mb < 400
    assert peak.workers_mb < 400
