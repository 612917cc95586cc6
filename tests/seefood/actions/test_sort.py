"""Sorting by label: nothing is lost or overwritten, and everything can be taken back."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from seefood.cli import cli
from seefood.corrections import Correction, CorrectionLog
from seefood.errors import UsageError
from seefood.features.files import write_part_features
from seefood.features.stored import read_feature_ledger
from seefood.records import ImageRef, Vector, utc_now
from seefood.results.files import list_parts, read_rows
from seefood.results.ledger import read_ledger
from seefood.storage.uris import parse_location
from tests.conftest import Bucket
from tests.sorting import Sorted, rows_of, write_rows

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import TagTypeDef


def run(*arguments: object, code: int = 0) -> str:
    """Run a command in this process and return what it prints."""
    result = CliRunner().invoke(cli, [str(each) for each in arguments], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    assert code == (result.return_value or 0), result.output
    return result.output


def _files(folder: Path) -> Sequence[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir())


@pytest.mark.parametrize("action", ["copy", "move", "link"])
def test_undo_restores_the_tree(local: Sorted, action: str) -> None:
    """After sort and undo every file and folder is as before, with its time of modification."""
    before = local.tree()
    target = local.photos / "sorted"
    run("sort", local.output, "--to", target, "--by", action, "--yes")
    assert 14 == len(_files(target))
    assert {"hot_dog", "other"} == {path.name for path in target.iterdir()}
    run("undo", local.output, "--yes")
    assert before == local.tree()


def test_a_dry_run_changes_nothing(local: Sorted) -> None:
    """Without --yes the steps are shown and nothing is written."""
    before = local.tree()
    output = run("sort", local.output, "--to", local.photos / "sorted")
    assert "Nothing was done" in output
    assert before == local.tree()
    assert not (local.output / "journal").exists()


def test_the_ledger_and_corrections_follow_moved_pictures(local: Sorted) -> None:
    """After a move the next run finds each picture's row at its new place, and only there.

    It finds the features as well.
    """
    location = parse_location(str(local.output))
    row = next(iter(read_rows(location)))
    answer = Correction(row.uri, row.etag, "salad", row.label, None, "ada", utc_now())
    CorrectionLog(location).append([answer])
    featured = [replace(each, vector=Vector(1.0, b"\1\2")) for each in read_rows(location)]
    (part,) = list_parts(location)
    write_part_features(parse_location(part.uri), location, row.model_digest, featured)
    run("sort", local.output, "--to", local.photos / "sorted", "--by", "move", "--yes")
    ledger = read_ledger([part.uri for part in list_parts(location)])
    moved = [parse_location(str(p)).uri for p in (local.photos / "sorted").rglob("*.jpg")]
    assert all(
        row.uri.startswith(f"{local.photos.as_uri()}/sorted/") for row in read_rows(location)
    )
    etags = {row.uri: row.etag for row in read_rows(location)}
    assert all(ImageRef(uri, etags[uri]) in ledger for uri in moved)
    features = read_feature_ledger(location, row.model_digest)
    assert all(ImageRef(uri, etag) in features for uri, etag in etags.items())
    log = CorrectionLog(location)
    log.refresh()
    assert "salad" in {log.corrections[key].label for key in log.corrections if "/salad/" in key[0]}
    run("undo", local.output, "--yes")
    assert row.uri in {each.uri for each in read_rows(location)}
    assert 14 == len(list(read_rows(location)))


def test_nothing_is_overwritten(local: Sorted) -> None:
    """A file that is there keeps its content, through undo as well."""
    target = local.photos / "sorted"
    (target / "hot_dog").mkdir(parents=True)
    (target / "hot_dog" / "plain.jpg").write_bytes(b"mine")
    (target / "other").mkdir(parents=True)
    (target / "other" / "plain.jpg").write_bytes(b"mine")
    run("sort", local.output, "--to", target, "--by", "move", "--yes")
    run("undo", local.output, "--yes")
    assert b"mine" == (target / "hot_dog" / "plain.jpg").read_bytes()
    assert b"mine" == (target / "other" / "plain.jpg").read_bytes()
    assert 16 == len(_files(local.photos))


def test_unsure_pictures_go_where_they_are_told(local: Sorted) -> None:
    """`--unsure` names their folder, or leaves them out."""
    target = local.photos / "sorted"
    run("sort", local.output, "--to", target, "--unsure", "check", "--yes")
    assert 2 == len(list((target / "check").iterdir()))
    run("undo", local.output, "--yes")
    run("sort", local.output, "--to", target, "--unsure", "skip", "--yes")
    assert 12 == len(_files(target))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--to", "{output}/results"], "a folder of the output"),
        (["--to", "{output}"], "a folder of the output"),
        (["--to", "{photos}/sorted", "--only", "salad"], "salad"),
        (["--to", "{photos}/one/plain.jpg"], "is a file"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_done(
    local: Sorted, arguments: list[str], words: str
) -> None:
    """A wrong target or label is one sentence, and no journal is written."""
    filled = [each.format(output=local.output, photos=local.photos) for each in arguments]
    with pytest.raises(UsageError, match=words):
        run("sort", local.output, *filled, "--yes")
    assert not (local.output / "journal").exists()


def test_a_sort_onto_itself_is_refused(local: Sorted) -> None:
    """Pictures that lie where they would be sorted to stay there."""
    target = local.photos / "sorted"
    run("sort", local.output, "--to", target, "--by", "move", "--yes")
    with pytest.raises(UsageError, match="lies where it would be sorted to"):
        run("sort", local.output, "--to", target, "--by", "move", "--yes")


@pytest.mark.parametrize("action", ["copy", "move"])
def test_the_same_command_goes_on_after_a_kill(tmp_path: Path, local: Sorted, action: str) -> None:
    """A process killed half-way leaves a state from which both going on and undo work."""
    for number in range(300):
        (local.photos / "one" / f"{number}.jpg").write_bytes(bytes([number % 256]) * 50)
    uris = [parse_location(str(p)).uri for p in sorted(local.photos.rglob("*")) if p.is_file()]
    output = tmp_path / "many"
    write_rows(str(output), rows_of(uris))
    before = local.tree()
    target = local.photos / "sorted"
    command = ["sort", str(output), "--to", str(target), "--by", action, "--yes"]
    for undone in (True, False):
        process = subprocess.Popen(
            [sys.executable, "-m", "seefood", *command], stdout=subprocess.DEVNULL
        )
        while process.poll() is None and len(list(target.rglob("*.jpg"))) < 100:
            time.sleep(0.001)
        os.kill(process.pid, signal.SIGKILL)
        assert -signal.SIGKILL == process.wait()
        assert len(_files(target)) < len(uris)
        if undone:
            run("undo", output, "--yes")
            assert before == local.tree()
    run(*command)
    assert len(uris) == len(_files(target))
    run("undo", output, "--yes")
    assert before == local.tree()


def test_objects_in_s3_are_moved_and_restored(s3: Bucket) -> None:
    """The same in a bucket: contents return to their keys, and nothing else is left."""
    keys = ["in/a b.jpg", "in/ü.jpg", "in/x/a b.jpg", "in/100%.jpg", "in/+.jpg"]
    for key in keys:
        s3.put(key, key.encode())
    write_rows(f"{s3.uri}/out", rows_of([f"{s3.uri}/{key}" for key in keys]))
    output = f"{s3.uri}/out"
    run("sort", output, "--to", f"{s3.uri}/sorted", "--by", "move", "--yes")
    assert [] == s3.keys("in/")
    assert 5 == len(s3.keys("sorted/"))
    run("undo", output, "--yes")
    assert sorted(keys) == s3.keys("in/")
    assert all(key.encode() == s3.get(key) for key in keys)
    assert [] == s3.keys("sorted/")


def test_object_tags_keep_what_others_set(s3: Bucket) -> None:
    """The label is one tag more, and undo restores the tags."""
    s3.put("in/a.jpg", b"a")
    tags: list[TagTypeDef] = [{"Key": "owner", "Value": "ada"}]
    s3.client.put_object_tagging(Bucket=s3.name, Key="in/a.jpg", Tagging={"TagSet": tags})
    write_rows(f"{s3.uri}/out", rows_of([f"{s3.uri}/in/a.jpg"]))
    run("tag", f"{s3.uri}/out", "--tags", "--yes")
    found = s3.client.get_object_tagging(Bucket=s3.name, Key="in/a.jpg")["TagSet"]
    assert {"owner": "ada", "seefood-label": "hot/dog"} == {t["Key"]: t["Value"] for t in found}
    run("undo", f"{s3.uri}/out", "--yes")
    assert tags == s3.client.get_object_tagging(Bucket=s3.name, Key="in/a.jpg")["TagSet"]
