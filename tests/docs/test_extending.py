"""The additions of docs/extending.md, applied to a copy of the code."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from seefood.synthetic import draw_picture
from tests.docs.pages import ROOT, blocks, commands, words
from tests.pictures import encoded

_PACKAGES = ("seefood", "pipeline", "training")
_NETWORK = """
from seefood_training.networks import NetworkChoice, build
print(build(NetworkChoice("plain", 64, 64, 3)).output_shape)
"""


class _Change(NamedTuple):
    """What a diff says about one file."""

    path: str
    is_new: bool
    hunks: tuple[tuple[str, str], ...]
    """The text that is there and the text that takes its place."""

    def apply(self, root: Path) -> None:
        """Change the file below `root`; each text that a hunk names is there once."""
        file = root / self.path
        assert file.exists() != self.is_new, self.path
        text = "" if self.is_new else file.read_text()
        for old, new in self.hunks:
            assert self.is_new or 1 == text.count(old), (self.path, old)
            text = text.replace(old, new, 1)
        file.write_text(text)


def _changes(diff: str) -> Iterator[_Change]:
    for mark, path, body in re.findall(
        r"^(\+\+\+|---) (\S+)\n((?:(?!\+\+\+ |--- ).*\n)*)", diff, re.MULTILINE
    ):
        hunks = []
        for part in body.split("@@\n"):
            lines = part.splitlines(keepends=True)
            old, new = ("".join(x[1:] for x in lines if x[0] in marks) for marks in (" -", " +"))
            hunks.append((old, new))
        yield _Change(path, mark == "+++", tuple(hunks))


@pytest.fixture(scope="module")
def additions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the changed packages and two pictures."""
    root = tmp_path_factory.mktemp("extended")
    for name in _PACKAGES:
        ignored = shutil.ignore_patterns("models", "__pycache__")
        shutil.copytree(ROOT / name, root / name, ignore=ignored)
    (root / "seefood" / "models").symlink_to(ROOT / "seefood" / "models")
    for block in blocks("docs/extending.md"):
        if block.language == "diff":
            for change in _changes(block.text):
                change.apply(root)
    (root / "photos").mkdir()
    for number in range(2):
        picture = encoded(draw_picture("house", number, (200, 150)), "JPEG")
        (root / "photos" / ("hotdog.jpg", "house.jpg")[number]).write_bytes(picture)
    return root


def _python(root: Path, *arguments: str) -> str:
    path = os.pathsep.join(str(root / name) for name in ("", *_PACKAGES[1:]))
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, (arguments, done.stderr)
    return done.stdout


def _run(root: Path, name: str, *more: str) -> str:
    """Run the page's command `name` on the changed code, and return what it prints."""
    (line,) = (each for each in commands("docs/extending.md") if words(each)[1] == name)
    return _python(root, "-m", "seefood", *words(line)[1:], *more)


def test_the_table_counts_the_files() -> None:
    """As many files are new and changed as the table says."""
    page = (ROOT / "docs" / "extending.md").read_text()
    stated = re.findall(r"^\| an? .+? \| (\d) \| (\d) \|", page, re.MULTILINE)
    counted = []
    for block in blocks("docs/extending.md"):
        if block.language == "diff":
            new = [change.is_new for change in _changes(block.text)]
            counted.append((str(sum(new)), str(len(new) - sum(new))))
    assert stated == counted


@pytest.mark.beam
@pytest.mark.slow
def test_the_format_is_written_and_read(additions: Path) -> None:
    """`classify --format` writes it, and the next run finds its rows."""
    _run(additions, "classify")
    (part,) = (additions / "results" / "results").rglob("*.arrays")
    assert 2 == len(json.loads(part.read_text()))
    (summary,) = json.loads("[" + _run(additions, "classify", "--json") + "]")
    assert 2 == summary["skipped_by_ledger"]


def test_the_engine_is_listed_and_refused(additions: Path) -> None:
    """`inspect` says that it does not reproduce the golden pictures."""
    engines = json.loads(_run(additions, "inspect", "--json"))["engines"]
    (toy,) = (each for each in engines if each["name"] == "toy")
    assert "unsuited" == toy["state"]


def test_the_source_is_listed(additions: Path) -> None:
    """`plan` counts as many pictures as the source names."""
    assert 1 == json.loads(_run(additions, "plan", "--json"))["listed"]


def test_the_column_is_in_the_rows(additions: Path) -> None:
    """A row states the megapixels."""
    row = json.loads(_run(additions, "predict"))
    assert 200 * 150 / 1e6 == row["megapixels"]


@pytest.mark.tensorflow
@pytest.mark.slow
def test_the_network_is_built(additions: Path) -> None:
    """It is one of the choices of `--network`, and has a number for each class."""
    assert "plain" in _python(additions, "-m", "seefood", "train", "--help")
    assert "(None, 3)" == _python(additions, "-c", _NETWORK).strip()
