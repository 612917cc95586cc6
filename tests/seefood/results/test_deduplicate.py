from datetime import timedelta

import pytest

from seefood.records import ImageRef, utc_now
from seefood.results.deduplicate import deduplicate
from seefood.results.files import Format, encode_rows, list_parts, read_rows
from seefood.results.ledger import read_ledger
from seefood.storage import write
from seefood.storage.uris import parse_location
from tests.fakes import DIGEST, failed, make_row

_NOW = utc_now()
_FOLDER = f"results/digest={DIGEST[:12]}"


def _put(root: str, name: str, *rows: object, form: Format = "parquet") -> None:
    write(parse_location(f"{root}/{_FOLDER}/{name}.{form}"), encode_rows(list(rows), form))  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["parquet", "jsonl", "csv"])
def test_the_latest_row_of_a_picture_stays(form: Format, memory: str) -> None:
    """Older rows are taken out of their parts; a part without rows goes."""
    old, new = _NOW - timedelta(days=1), _NOW
    one, two, three = ("s3://b/1", "s3://b/2", "s3://b/3")
    _put(
        memory,
        "part-a",
        make_row(one, classified_at=old),
        make_row(two, classified_at=old),
        form=form,
    )
    _put(memory, "part-b", make_row(three, classified_at=old), form=form)
    _put(
        memory,
        "part-c",
        make_row(one, classified_at=new),
        make_row(three, classified_at=new),
        form=form,
    )
    output = parse_location(memory)
    assert 2 == deduplicate(output, DIGEST)
    rows = {row.uri: row.classified_at for row in read_rows(output)}
    assert {one: new, two: old, three: new} == rows
    assert 3 == sum(1 for _ in read_rows(output))
    assert 2 == len(list_parts(output))
    assert 0 == deduplicate(output, DIGEST)


def test_equal_rows_leave_one(memory: str) -> None:
    """A copy of a part, as an interrupted compaction leaves it, is no second row."""
    rows = [make_row(f"s3://b/{n}", classified_at=_NOW) for n in range(5)]
    _put(memory, "part-a", *rows[:3])
    _put(memory, "part-b", *rows)
    assert 3 == deduplicate(parse_location(memory), DIGEST)
    assert 5 == sum(1 for _ in read_rows(parse_location(memory)))


def test_another_tag_is_another_picture(memory: str) -> None:
    """A picture that was replaced keeps the row of its old content: it is history."""
    _put(memory, "part-a", make_row(etag="e1"))
    _put(memory, "part-b", make_row(etag="e2"))
    assert 0 == deduplicate(parse_location(memory), DIGEST)


def test_a_failure_that_may_have_passed_is_due_again(memory: str) -> None:
    """The ledger has what was classified and what is wrong with a picture, not what befell it."""
    _put(memory, "part-a", make_row("s3://b/ok"), failed("s3://b/bad", "corrupt", "x"))
    _put(memory, "part-b", failed("s3://b/403", "forbidden", "x"))
    ledger = read_ledger([part.uri for part in list_parts(parse_location(memory))])
    names = ("ok", "bad", "403", "new")
    refs = [ImageRef(f"s3://b/{name}", "e1") for name in names]
    assert [True, True, False, False] == [ref in ledger for ref in refs]
    assert [False, False, True, False] == [ledger.has_tried(ref) for ref in refs]
    assert 0 == ledger.duplicates


def test_the_ledger_counts_rows_too_many(memory: str) -> None:
    """What a killed run did not tidy up is seen by the next one."""
    _put(memory, "part-a", make_row("s3://b/1"), failed("s3://b/2", "forbidden", "x"))
    _put(memory, "part-b", make_row("s3://b/1"), make_row("s3://b/2"))
    assert 2 == read_ledger([part.uri for part in list_parts(parse_location(memory))]).duplicates
