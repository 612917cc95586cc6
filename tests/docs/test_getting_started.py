"""docs/getting-started.md, executed from its first to its last block."""

import subprocess
import sys
from pathlib import Path

import pytest

from seefood.synthetic import draw_picture
from tests.docs.pages import blocks, words


@pytest.mark.beam
def test_the_page_is_true(tmp_path: Path) -> None:
    """Console and Python blocks run in a folder with `photos/`; shell blocks need a bucket."""
    (tmp_path / "photos").mkdir()
    draw_picture("hotdog_mustard", 1, (200, 150)).save(tmp_path / "photos/hotdog.jpg")
    draw_picture("house", 2, (200, 150)).save(tmp_path / "photos/house.png")
    (tmp_path / "photos/broken.jpg").write_bytes(b"no picture")
    outputs = []
    for block in blocks("docs/getting-started.md"):
        lines = [["-c", block.text]] if block.language == "python" else []
        if block.language == "console":
            lines = [["-m", *words(line)] for line in block.commands]
        for line in lines:
            command = [sys.executable, *line]
            run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert 0 == run.returncode, (line, run.stderr)
            outputs.append(run.stdout + run.stderr)
    assert "hotdog" in outputs[1]
    assert "3 of 3 pictures, 1 failed" in outputs[2]
    assert "3 done before" in outputs[3] or "nothing" in outputs[3]
    assert (tmp_path / "hotdog.html").stat().st_size > 10_000
