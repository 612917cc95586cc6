"""File systems on hard days: without hard links, and with a folder that cannot be read."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pictures import jpeg

pytestmark = [pytest.mark.beam, pytest.mark.compiler]

_CREATE = """
from sys import argv
from seefood.storage.local import LocalFiles
print(*[LocalFiles().create(argv[1], data) for data in (b"first", b"second")])
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which such a file system is simulated."""
    library = tmp_path_factory.mktemp("library") / "file_system.so"
    source = Path(__file__).with_name("file_system.c")
    command = ["cc", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"]
    subprocess.run(command, check=True, timeout=60)
    return {**os.environ, "LD_PRELOAD": str(library)}


def test_a_file_is_created_once_without_hard_links(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """The second of two creators does not overwrite, and nothing temporary is left."""
    done = subprocess.run(
        [sys.executable, "-c", _CREATE, str(tmp_path / "lease")],
        env=environment, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert "True False" == done.stdout.strip()
    assert {"lease": b"first"} == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_an_unreadable_folder_costs_only_itself(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """The rest has rows; stderr, the summary and the exit code say that the listing lacks it."""
    for name in ("yes", "no"):
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "a.jpg").write_bytes(jpeg())
    output = tmp_path / "out"
    command = ["classify", str(tmp_path / "in"), "--output", str(output), "--format", "jsonl"]
    done = subprocess.run(
        [sys.executable, "-m", "seefood", *command, "--no-report", "--quiet"],
        env=environment, capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert 5 == done.returncode
    assert f"left out: {tmp_path}/in/no: Permission denied" in done.stderr
    (part,) = output.glob("results/*/*.jsonl")
    assert [f"{(tmp_path / 'in/yes/a.jpg').as_uri()}"] == [
        json.loads(line)["uri"] for line in part.read_text().splitlines()
    ]
    (summary,) = output.glob("runs/*/summary.json")
    assert {f"{tmp_path}/in/no: Permission denied": 1} == json.loads(summary.read_text())[
        "left_out"
    ]
