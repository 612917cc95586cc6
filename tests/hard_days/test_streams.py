"""Standard streams, locales and working directories on hard days: no row is lost, none unsaid."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pictures import jpeg

_SEEFOOD = f"{shlex.quote(sys.executable)} -m seefood"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures of ordinary and of odd names."""
    folder = tmp_path_factory.mktemp("names")
    for name in ("plain.jpg", "-x.jpg", "日本.jpg"):
        (folder / name).write_bytes(jpeg())
    return folder


def _run(command: str, cwd: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["sh", "-c", command.replace("seefood", _SEEFOOD, 1)],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "code", "shown"),
    [
        ("seefood predict -- -x.jpg", 0, "-x.jpg"),
        ("seefood predict plain.jpg 2>&-", 0, "plain.jpg"),
        ("seefood predict plain.jpg <&-", 0, "plain.jpg"),
        ("seefood predict plain.jpg 2>/dev/full", 0, "plain.jpg"),
        ("seefood predict plain.jpg >&- 2>&- <&-", 0, ""),
        ("seefood predict plain.jpg | true", 0, ""),
        ("seefood predict plain.jpg > /dev/full", 1, "cannot write to stdout: No space left"),
        ("seefood predict gone.jpg", 2, "does not exist"),
    ],
)
def test_streams(command: str, code: int, shown: str, folder: Path) -> None:
    """A closed, full or broken stream costs no picture and is at most one sentence."""
    done = _run(command, folder)
    assert code == done.returncode
    assert shown in done.stdout + done.stderr
    assert "unexpected" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("env", "shown"),
    [
        ({"PYTHONIOENCODING": "cp1252"}, "\\u65e5\\u672c.jpg"),
        ({"LC_ALL": "C"}, "日本.jpg"),
        ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "日本.jpg"),
    ],
    ids=["cp1252", "C", "C without UTF-8"],
)
def test_locales(env: dict[str, str], shown: str, folder: Path) -> None:
    """A name is read in any locale; what the terminal cannot show is escaped."""
    done = _run("seefood predict 日本.jpg", folder, **env)
    assert (0, shown) == (done.returncode, done.stdout.split("  ")[0])


def test_a_deleted_working_directory(folder: Path) -> None:
    """Absolute paths work in a directory that is gone; a relative one is a usage error."""
    gone = "mkdir gone; cd gone; rmdir ../gone; "
    absolute = _run(f"{gone} seefood predict {folder}/plain.jpg", folder)
    assert (0, "") == (absolute.returncode, absolute.stderr)
    relative = _run(f"{gone} seefood predict plain.jpg", folder)
    assert 2 == relative.returncode
    assert "the working directory was deleted" in relative.stderr
