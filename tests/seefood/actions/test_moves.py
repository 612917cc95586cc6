"""A move loses no picture, no row and no answer, whatever is at its target or in its way."""

from typing import TYPE_CHECKING

import pytest

from seefood.actions.journal import Journal, begin_journal
from seefood.actions.running import take, undo
from seefood.actions.steps import Place
from seefood.corrections import Correction, CorrectionLog, read_corrections
from seefood.errors import UsageError
from seefood.records import utc_now
from seefood.results.files import read_rows
from seefood.storage.uris import parse_location
from tests.conftest import Bucket
from tests.seefood.actions.test_sort import run
from tests.sorting import Sorted, rows_of, write_rows

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import TagTypeDef


def _journal(local: Sorted, names: list[str]) -> Journal:
    """Begin to move pictures of the folder `one` into `sorted`, under their names."""
    output = parse_location(str(local.output))
    rows = {row.uri: row for row in read_rows(output)}
    steps = []
    for name in names:
        row = rows[parse_location(str(local.photos / "one" / name)).uri]
        target = parse_location(str(local.photos / "sorted" / name)).uri
        steps.append(Place("move", row.uri, row.etag, target))
    return begin_journal(output, {"sort": "move"}, steps)


def _say(journal: Journal, uri: str, etag: str, label: str | None) -> None:
    log = CorrectionLog(journal.output)
    log.refresh()
    log.append([Correction(uri, etag, label, "other", None, "ada", utc_now())])


def _said(journal: Journal) -> dict[tuple[str, str], str | None]:
    return {each.key: each.label for each in read_corrections(journal.output).values()}


def test_a_folder_that_is_linked_to_the_pictures_loses_none(local: Sorted) -> None:
    """A picture that the target's name means already is not deleted."""
    target = local.photos / "sorted"
    target.mkdir()
    for label in ("hot_dog", "other"):
        (target / label).symlink_to(local.photos / "one")
    before = local.tree()
    with pytest.raises(UsageError, match="lies where it would be sorted to"):
        run("sort", local.output, "--to", target, "--by", "move", "--yes")
    assert before == local.tree()


def test_a_step_never_deletes_the_only_name_of_a_file(local: Sorted) -> None:
    """A folder that is linked after the plan was made loses nothing either."""
    journal = _journal(local, ["plain.jpg"])
    (local.photos / "sorted").symlink_to(local.photos / "one")
    assert take(journal).problems
    assert (local.photos / "one" / "plain.jpg").exists()


def test_links_are_not_moved(local: Sorted) -> None:
    """A relative link would name nothing at its new place."""
    path = local.photos / "one" / "link.jpg"
    path.symlink_to("plain.jpg")
    output = local.output.with_name("links")
    write_rows(str(output), rows_of([parse_location(str(path)).uri]))
    with pytest.raises(UsageError, match="is a link"):
        run("sort", output, "--to", local.photos / "sorted", "--by", "move", "--yes")


def test_rows_do_not_follow_to_a_file_of_another_program(local: Sorted) -> None:
    """A file that appears at the target gets no label, at a move and at its undoing."""
    journal = _journal(local, ["plain.jpg"])
    (step,) = journal.steps
    target = local.photos / "sorted" / "plain.jpg"
    target.parent.mkdir()
    target.write_bytes(b"mine")
    before = sorted(row.uri for row in read_rows(journal.output))
    assert take(journal).problems
    assert before == sorted(row.uri for row in read_rows(journal.output))
    target.unlink()
    assert not take(journal).problems
    moved = sorted(row.uri for row in read_rows(journal.output))
    assert step.target in moved
    (local.photos / "one" / "plain.jpg").write_bytes(b"mine")
    assert undo(journal).problems
    assert moved == sorted(row.uri for row in read_rows(journal.output))


def test_answers_follow_in_a_second_try_too(local: Sorted) -> None:
    """What people said follows pictures that move in a second try; later answers stay."""
    journal = _journal(local, ["plain.jpg", "noending"])
    first, second = journal.steps
    assert isinstance(first, Place)
    assert isinstance(second, Place)
    _say(journal, first.source, first.etag, "soup")
    _say(journal, second.source, second.etag, "salad")
    target = local.photos / "sorted" / "noending"
    target.parent.mkdir()
    target.write_bytes(b"mine")
    assert take(journal).problems
    _say(journal, first.target, first.etag, "bread")
    target.unlink()
    assert not take(journal).problems
    said = _said(journal)
    assert ("bread", "salad") == (said[first.target, first.etag], said[second.target, second.etag])


def test_an_answer_that_was_taken_back_stays_so_after_undo(local: Sorted) -> None:
    """Undo brings the latest answer back, also if it is that there is none."""
    journal = _journal(local, ["plain.jpg"])
    (step,) = journal.steps
    assert isinstance(step, Place)
    _say(journal, step.source, step.etag, "soup")
    assert not take(journal).problems
    assert "soup" == _said(journal)[step.target, step.etag]
    _say(journal, step.target, step.etag, None)
    assert not undo(journal).problems
    assert (step.source, step.etag) not in _said(journal)


def test_a_new_picture_of_a_known_name_is_sorted_too(local: Sorted) -> None:
    """A later picture with the name of an earlier one gets a place, in one run of two."""
    target = local.photos / "sorted"
    pictures = [local.photos / "one" / "plain.jpg", local.photos / "a" / "plain.jpg"]
    pictures[1].parent.mkdir()
    pictures[1].write_bytes(b"new")
    uris = [parse_location(str(path)).uri for path in pictures]
    for number in (1, 2, 2):
        output = local.output.with_name(f"after {number}")
        rows = [rows_of([uri])[0] for uri in uris[:number]]
        write_rows(str(output), rows)
        run("sort", output, "--to", target, "--yes")
    contents = sorted(path.read_bytes() for path in target.rglob("*.jpg"))
    assert sorted(path.read_bytes() for path in pictures) == contents


def test_metadata_and_tags_of_objects_move_along(s3: Bucket) -> None:
    """An object has its type, its metadata and its tags after a move, and after undo."""
    tags: list[TagTypeDef] = [{"Key": "owner", "Value": "ada + co"}]
    s3.client.put_object(
        Bucket=s3.name, Key="in/a.jpg", Body=b"a", ContentType="image/jpeg", Metadata={"by": "bob"},
        CacheControl="no-cache", Tagging="owner=ada%20%2B%20co",
    )  # fmt: skip
    output = f"{s3.uri}/out"
    write_rows(output, rows_of([f"{s3.uri}/in/a.jpg"]))
    for command in (["sort", output, "--to", f"{s3.uri}/to", "--by", "move"], ["undo", output]):
        run(*command, "--yes")
        (key,) = [*s3.keys("in/"), *s3.keys("to/")]
        found = s3.client.head_object(Bucket=s3.name, Key=key)
        assert "image/jpeg" == found["ContentType"]
        assert "no-cache" == found["CacheControl"]
        assert {"by": "bob"} == found["Metadata"]
        assert tags == s3.client.get_object_tagging(Bucket=s3.name, Key=key)["TagSet"]
