"""One bad thing costs one row, or one note: the rest of a source is listed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from seefood.errors import ErrorCode, PictureError
from seefood.sources.compact_set import CompactSet
from seefood.sources.filters import Selection
from seefood.sources.listing import list_sources
from seefood.sources.notes import ListingNotes
from seefood.sources.registry import parse_source
from seefood.storage import fetch
from seefood.storage.local import LocalFiles

_UNPRIVILEGED_USER: Final = 65534


def _list(folder: Path, *include: str) -> tuple[list[str], ListingNotes]:
    notes = ListingNotes()
    sources = [parse_source(str(folder))]
    refs = list(list_sources(sources, selection=Selection(include=include), notes=notes))
    return [ref.uri.rpartition("/")[2] for ref in refs], notes


def test_a_subfolder_that_vanishes_is_a_note(tmp_path: Path) -> None:
    """Its siblings are listed; the note names it."""
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.jpg").write_bytes(b"x")
    notes = ListingNotes()
    names = []
    for ref in list_sources([parse_source(str(tmp_path))], notes=notes):
        names.append(ref.uri.rpartition("/")[2])
        if len(names) == 1:
            (tmp_path / "b" / "b.jpg").unlink()
            (tmp_path / "b").rmdir()
    assert ["a.jpg", "c.jpg"] == names
    assert {f"{tmp_path}/b: No such file or directory": 1} == notes.left_out


def test_an_unreadable_subfolder_is_a_note() -> None:
    """Its siblings are listed; the note names it."""
    # Not in `tmp_path`, whose parents another user may not enter.
    with TemporaryDirectory() as name, _as_unprivileged_user(Path(name)):
        folder = Path(name)
        (folder / "no").mkdir(mode=0o000)
        (folder / "yes.jpg").write_bytes(b"x")
        names, notes = _list(folder)
    assert ["yes.jpg"] == names
    assert {f"{folder}/no: Permission denied": 1} == notes.left_out


@contextmanager
def _as_unprivileged_user(folder: Path) -> Iterator[None]:
    """Drop root's permission to read everything while the block runs; give `folder` away."""
    before = os.geteuid()
    if before == 0:
        os.chown(folder, _UNPRIVILEGED_USER, -1)
        os.seteuid(_UNPRIVILEGED_USER)
    try:
        yield
    finally:
        os.seteuid(before)


def test_links(tmp_path: Path) -> None:
    """A dangling link and a loop have rows of their own; a linked folder is said."""
    (tmp_path / "dangling.jpg").symlink_to("nowhere")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "up").symlink_to(tmp_path)
    names, notes = _list(tmp_path)
    assert ["dangling.jpg", "loop.jpg"] == names
    assert {} == notes.left_out
    ((text, count),) = notes.remarks.items()
    assert (f"{tmp_path}/up: a link to a folder is not followed", 1) == (text.split(";")[0], count)
    codes = []
    for ref in LocalFiles().list(str(tmp_path)):
        with pytest.raises(PictureError) as error:
            fetch(ref)
        codes.append(error.value.code)
    assert [ErrorCode.NOT_FOUND, ErrorCode.STORE_ERROR] == codes


def test_a_tree_deeper_than_the_recursion_limit(tmp_path: Path) -> None:
    """Depth costs no stack."""
    depth = sys.getrecursionlimit() + 200
    script = (
        f"import os\nos.chdir({str(tmp_path)!r})\n"
        f"for _ in range({depth}):\n    os.mkdir('d'); os.chdir('d')\nopen('deep.jpg', 'w')\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    (tmp_path / "top.jpg").write_bytes(b"x")
    try:
        names, notes = _list(tmp_path)
    finally:  # pytest's own removal is recursive
        subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True, timeout=60)
    assert (["deep.jpg", "top.jpg"], {}) == (names, dict(notes.left_out))


def test_a_filter_that_lets_nothing_through_says_what_it_would(tmp_path: Path) -> None:
    """Capitals in a pattern are the usual reason."""
    for name in ("a.jpg", "b.jpg", "c.txt"):
        (tmp_path / name).write_bytes(b"x")
    names, notes = _list(tmp_path, "*.JPG")
    assert [] == names
    (text,) = notes.remarks
    assert "none of the 3 objects that were listed passes --include '*.JPG'" in text
    assert ".jpg (2), .txt (1)" in text
    assert "`--include '*.jpg'` would let 2 of them through" in text
    assert (["a.jpg", "b.jpg"], {}) == (_list(tmp_path, "*.jpg")[0], {})


def test_a_compact_set_holds_each_name_once() -> None:
    """`add` tells whether a name is new, for names of any characters."""
    names = CompactSet()
    uris = [f"s3://b/{number}\udcff" for number in range(5000)]
    assert [True] * 5000 == [names.add(uri) for uri in uris]
    assert [False] * 5000 == [names.add(uri) for uri in uris]
