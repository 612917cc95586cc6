"""The Python code in the documentation runs as it stands there, with other bucket names."""

import re
from pathlib import Path

import pytest

from seefood.bundle import default_bundle_path
from seefood.results.files import read_rows
from seefood.storage.uris import parse_location
from seefood.synthetic import draw_picture
from seefood_pipeline import write_rows
from tests.conftest import ROOT, Bucket
from tests.fakes import make_row
from tests.pictures import encoded

pytestmark = pytest.mark.beam
_PAGES = ("beam.md", "python.md")
_PART = re.compile(r"^#+ ([^\n]+)$|^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _blocks() -> list[tuple[str, str]]:
    """Return the Python blocks of the pages with their headings."""
    found = []
    for page in _PAGES:
        heading = ""
        text = (ROOT / "docs" / page).read_text()
        for part in _PART.finditer(text):
            heading = part[1] or heading
            if part[2]:
                found.append((f"{page}: {heading}", part[2]))
    return found


_BLOCKS = _blocks()
_PICTURES = {"lunch.jpg": "hotdog_mustard", "house.jpg": "house"}


@pytest.fixture
def place(s3: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder and a bucket with two pictures, a broken one, a list and some rows."""
    for name, kind in _PICTURES.items():
        data = encoded(draw_picture(kind, 1, (160, 120)), "JPEG")
        s3.put(f"photos/2026/{name}", data)
        (tmp_path / "pictures").mkdir(exist_ok=True)
        (tmp_path / "pictures" / name).write_bytes(data)
    (tmp_path / "pictures" / "broken.jpg").write_bytes(b"no picture")
    names = [*_PICTURES, "gone.jpg"]
    s3.put("photos/list.txt", "\n".join(f"{s3.uri}/photos/2026/{name}" for name in names).encode())
    write_rows([make_row("s3://photos/a.jpg")], str(tmp_path / "labels"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _run(code: str, bucket: Bucket) -> None:
    """Run a block as a program."""
    for name in ("photos", "labels"):
        code = code.replace(f"s3://{name}", f"{bucket.uri}/{name}")
    exec(compile(code, "documentation", "exec"), {"__name__": "__main__"})  # noqa: S102 (ours)


@pytest.mark.slow
@pytest.mark.parametrize("code", [code for _, code in _BLOCKS], ids=[name for name, _ in _BLOCKS])
def test_a_block_runs(code: str, place: Path, s3: Bucket) -> None:
    """Each block runs by itself; those that write have written rows."""
    _run(code, s3)
    if "WriteToParquet" in code:
        assert {"rows", "failures"} == {
            file.name.partition("-")[0] for file in (place / "labels").glob("*-of-*")
        }
    if "WriteToText" in code:
        assert 2 == len((place / "labels" / "rows.jsonl").read_text().splitlines())
    if "s3://labels" in code:
        assert 2 == len(list(read_rows(parse_location(f"{s3.uri}/labels/2026"))))


def test_the_pages_have_blocks() -> None:
    """Otherwise nothing would be tested; and their default model is the built-in one."""
    assert {"beam.md", "python.md"} == {name.partition(":")[0] for name, _ in _BLOCKS}
    assert 10 <= len(_BLOCKS)
    assert "hotdog" == default_bundle_path().name
