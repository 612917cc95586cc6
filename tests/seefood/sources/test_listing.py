"""From the text of sources to references."""

import sys
from pathlib import Path

import pytest

from seefood.errors import UsageError
from seefood.sources.listing import check_sources, list_sources
from seefood.sources.registry import parse_source
from seefood.storage import write
from seefood.storage.uris import parse_location
from tests.conftest import Bucket


def _names(texts: list[str], output: str | None = None) -> list[str]:
    where = parse_location(output) if output is not None else None
    refs = list_sources([parse_source(text) for text in texts], where)
    return [ref.uri.rpartition("://")[2].partition("/")[2] for ref in refs]


@pytest.fixture
def filled(memory: str) -> str:
    """A store with a few keys."""
    for key in ("a/1.jpg", "a/2.png", "a/b/3.jpg", "a.jpg", "ab/4.jpg", "out/results/x.jpg"):
        write(parse_location(f"{memory}/{key}"), b"x")
    return memory


def test_a_key_that_is_exactly_the_source_is_one_object(filled: str) -> None:
    """`a.jpg` is that object, `a` every key that begins so, `a/` the folder."""
    assert ["a.jpg"] == _names([f"{filled}/a.jpg"])
    assert ["a/1.jpg", "a/2.png", "a/b/3.jpg"] == sorted(_names([f"{filled}/a/"]))
    assert 5 == len(_names([f"{filled}/a"]))
    assert 6 == len(_names([filled]))


def test_globs_over_keys(filled: str) -> None:
    """A glob lists from its literal beginning and matches whole keys."""
    assert ["a/1.jpg"] == _names([f"{filled}/a/*.jpg"])
    assert ["a/1.jpg", "a/b/3.jpg"] == sorted(_names([f"{filled}/a/**/*.jpg"]))
    assert ["a/1.jpg", "ab/4.jpg"] == sorted(_names([f"{filled}/a*/*.jpg"]))


def test_an_object_of_two_sources_comes_once(filled: str) -> None:
    """Overlapping sources give each object once, the first time."""
    names = _names([f"{filled}/a/", f"{filled}/a/1.jpg", filled, filled])
    assert len(names) == len(set(names)) == 6


def test_results_are_not_listed(filled: str) -> None:
    """What runs wrote is left out; pictures beside it are not."""
    for key in ("results/digest=0/part-1.parquet", "runs/r/report.html", "uploads/digest=0/1.json"):
        write(parse_location(f"{filled}/{key}"), b"x")
    names = _names([filled], filled)
    assert "a/1.jpg" in names
    assert "out/results/x.jpg" in names
    assert not [name for name in names if name.startswith(("results/", "runs/", "uploads/"))]
    assert 9 == len(_names([filled]))


def test_a_stranger_s_files_below_the_output_are_listed(filled: str) -> None:
    """Only the names of what runs write are left out, not all of a folder that is called so."""
    own = {
        "results/digest=0/part-1.csv", "uploads/digest=0/1.json", "runs/leases/0.all.000001.json",
        "runs/r/summary.json", "features/digest=0/part-1.parquet", "journal/1.jsonl",
        "journal/1.done", "journal/1.undone", "announced/digest=a/0.final",
        "announced/digest=a/0.transient", "audits/1.json", "corrections/ada/1.jsonl",
    }  # fmt: skip
    others = {
        "results/a.jpg", "results/digest=0/a.jpg", "uploads/b.jpg", "runs/a.jpg", "runs/r/a.jpg",
        "results/log.jsonl", "runs/2026/a/summary.json", "audits/a.jpg",
    }  # fmt: skip
    for key in own | others:
        write(parse_location(f"{filled}/own/{key}"), b"x")
    names = _names([f"{filled}/own/"], f"{filled}/own")
    assert others == {name.removeprefix("own/") for name in names}


def test_local_sources(tmp_path: Path) -> None:
    """A folder, a file, a glob, and a file whose name looks like a glob."""
    for name in ("a[1].jpg", "a1.jpg", "b/c d.jpg", "b/100%.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    base = str(tmp_path)[1:]
    assert [f"{base}/a1.jpg", f"{base}/a%5B1%5D.jpg"] == _names([f"{tmp_path}/a*.jpg"])
    assert [f"{base}/a%5B1%5D.jpg"] == _names([f"{tmp_path}/a[1].jpg"])
    assert [f"{base}/b/c%20d.jpg"] == _names([f"file://{tmp_path}/b/c%20d.jpg"])
    assert 4 == len(_names([str(tmp_path)]))
    assert [f"{base}/b/c%20d.jpg"] == _names([f"{tmp_path}/**/*d.jpg"])


def test_a_local_path_is_not_a_prefix(tmp_path: Path) -> None:
    """On disk `photo` does not list `photos/`."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"x")
    with pytest.raises(UsageError, match=r"there is nothing at .*/photo; check the path"):
        _names([f"{tmp_path}/photo"])


def test_a_folder_that_is_deleted_before_it_is_listed_is_an_error(tmp_path: Path) -> None:
    """The launcher parses a source, and a worker lists it later."""
    (tmp_path / "photos").mkdir()
    source = parse_source(str(tmp_path / "photos"))
    (tmp_path / "photos").rmdir()
    with pytest.raises(UsageError, match="there is nothing at"):
        list(list_sources([source]))


def test_empty_sources_are_usage_errors(tmp_path: Path, filled: str) -> None:
    """An empty folder, a prefix or a glob that matches nothing: the message has its text."""
    for text, words in (
        (str(tmp_path), "holds no picture"),
        (f"{tmp_path}/*.jpg", "matches no object"),
        (f"{filled}/zzz/", "holds no picture"),
        (f"{filled}/*.gif", "matches no object"),
    ):
        with pytest.raises(UsageError, match=words):
            check_sources([parse_source(text)])
    check_sources([parse_source(filled)])


def test_unusual_keys_of_s3(s3: Bucket) -> None:
    """Keys that few clients can express are listed as they are; folder markers are left out."""
    keys = ["a//b.jpg", "/lead.jpg", "x/./y.jpg", "x/../z.jpg", "ctl\x01.jpg", "fine.jpg"]
    for key in keys:
        s3.client.put_object(Bucket=s3.name, Key=key, Body=b"x")
    s3.put("folder/", b"")
    assert sorted(keys) == sorted(_names([s3.uri]))


def test_a_glob_opens_only_folders_that_can_match(tmp_path: Path) -> None:
    """`*.jpg` opens no subfolder, and `a*/…` none that begins otherwise."""
    for name in ("1.jpg", "sub/2.jpg", "sub/deep/3.jpg", "other/4.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    base = str(tmp_path)[1:]
    opened: list[str] = []

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event == "os.scandir" and str(arguments[0]).startswith(str(tmp_path)):
            opened.append(str(arguments[0])[len(str(tmp_path)) :].rstrip("/"))

    sys.addaudithook(watch)
    assert [f"{base}/1.jpg"] == _names([f"{tmp_path}/*.jpg"])
    assert [""] == opened
    opened.clear()
    assert [f"{base}/sub/2.jpg"] == _names([f"{tmp_path}/s*/*.jpg"])
    assert ["", "/sub"] == opened
    opened.clear()
    assert [f"{base}/sub/2.jpg", f"{base}/sub/deep/3.jpg"] == _names([f"{tmp_path}/su**/*.jpg"])
    assert ["", "/sub", "/sub/deep"] == opened
