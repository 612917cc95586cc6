"""The sign of life of the commands that make or change bundles."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["cascade", "none", "none", "none", "--output", "new"], "reading the photos"),
        (["features", "none"], "finding and certifying the features"),
        (["reference", "none", "none"], "reading the photos"),
        (["teach", "none", "--corrections", "--output", "new"], "reading the examples"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_terminal_shows_it_from_the_start(
    arguments: list[str], text: str, tmp_path: Path
) -> None:
    """Before the libraries and the bundle are loaded, and gone before an error is printed."""
    ours, theirs = os.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "seefood", *arguments],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
        cwd=tmp_path,
        check=False,
    )
    shown = os.read(ours, 65536).decode()
    assert done.returncode == 2
    assert text in shown
    assert shown.rindex(text) < shown.rindex("seefood: ")
