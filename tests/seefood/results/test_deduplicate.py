from datetime import timedelta

import pytest

from seefood.records import ImageRef, Row, utc_now
from seefood.results.deduplicate import deduplicate
from seefood.results.files import encode_rows, list_parts, read_rows
from seefood.results.formats import format_names
from seefood.results.ledger import read_ledger
from seefood.storage import write
from seefood.storage.uris import parse_location
from tests.fakes import DIGEST, failed, make_row

_NOW = utc_now()
_FOLDER = f"results/digest={DIGEST[:12]}"


def _put(root: str, name: str, *rows: Row, suffix: str = "parquet") -> None:
    write(parse_location(f"{root}/{_FOLDER}/{name}.{suffix}"), encode_rows(rows, suffix))


@pytest.mark.parametrize("suffix", format_names())
def test_the_latest_row_of_a_picture_stays(suffix: str, memory: str) -> None:
    """Older rows are removed from their parts; a part without rows is deleted."""
    old, new = _NOW - timedelta(days=1), _NOW
    one, two, three = ("s3://b/1", "s3://b/2", "s3://b/3")
    for name, moment, uris in (
        ("a", old, (one, two)),
        ("b", old, (three,)),
        ("c", new, (one, three)),
    ):
        rows = [make_row(uri, classified_at=moment) for uri in uris]
        _put(memory, f"part-{name}", *rows, suffix=suffix)
    output = parse_location(memory)
    assert 2 == deduplicate(output, DIGEST)
    assert {one: new, two: old, three: new} == {
        row.uri: row.classified_at for row in read_rows(output)
    }
    assert 3 == sum(1 for _ in read_rows(output))
    assert 2 == len(list_parts(output))
    assert 0 == deduplicate(output, DIGEST)


def test_equal_rows_leave_one(memory: str) -> None:
    """Copies that an interrupted compaction left are removed."""
    rows = [make_row(f"s3://b/{n}", classified_at=_NOW) for n in range(5)]
    _put(memory, "part-a", *rows[:3])
    _put(memory, "part-b", *rows)
    assert 3 == deduplicate(parse_location(memory), DIGEST)
    assert 5 == sum(1 for _ in read_rows(parse_location(memory)))


def test_another_tag_is_another_picture(memory: str) -> None:
    """A picture that was replaced keeps the row of its old content."""
    _put(memory, "part-a", make_row(etag="e1"))
    _put(memory, "part-b", make_row(etag="e2"))
    assert 0 == deduplicate(parse_location(memory), DIGEST)


def test_a_transient_failure_is_older_than_any_label(memory: str) -> None:
    """A label stays even where the clock was wrong and the failure has the later time."""
    _put(memory, "part-a", make_row("s3://b/1", classified_at=_NOW - timedelta(days=1)))
    _put(memory, "part-b", failed("s3://b/1", "forbidden", "x"))
    assert 1 == deduplicate(parse_location(memory), DIGEST)
    assert ["red"] == [row.label for row in read_rows(parse_location(memory))]


def test_a_transient_failure_does_not_count_as_done(memory: str) -> None:
    """The ledger has labelled pictures and permanent failures, not transient ones."""
    _put(memory, "part-a", make_row("s3://b/ok"), failed("s3://b/bad", "corrupt", "x"))
    _put(memory, "part-b", failed("s3://b/403", "forbidden", "x"))
    ledger = read_ledger([part.uri for part in list_parts(parse_location(memory))])
    names = ("ok", "bad", "403", "new")
    refs = [ImageRef(f"s3://b/{name}", "e1") for name in names]
    assert [True, True, False, False] == [ref in ledger for ref in refs]
    assert [False, False, True, False] == [ledger.has_tried(ref) for ref in refs]
    assert 0 == ledger.duplicates


def test_the_ledger_counts_duplicates(memory: str) -> None:
    """So the next run sees that a killed run did not remove the older rows."""
    _put(memory, "part-a", make_row("s3://b/1"), failed("s3://b/2", "forbidden", "x"))
    _put(memory, "part-b", make_row("s3://b/1"), make_row("s3://b/2"))
    assert 2 == read_ledger([part.uri for part in list_parts(parse_location(memory))]).duplicates
