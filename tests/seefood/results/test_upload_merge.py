"""`compact` moves the rows of uploads to the results, safely beside a running Lambda."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from seefood.cli.compact import compact_command
from seefood.records import Row, utc_now
from seefood.results.arrow import arrow_schema
from seefood.results.compaction import compact
from seefood.results.files import (
    encode_rows,
    list_parts,
    list_upload_parts,
    part_location,
    read_rows,
    upload_location,
)
from seefood.results.ledger import read_ledger
from seefood.results.newest import precedence
from seefood.results.upload_merge import merge_uploads
from seefood.storage import open_store, write
from seefood.storage.uris import parse_location
from seefood_lambda.result_writer import WriteResult, put_row
from tests.conftest import ROOT
from tests.duckdb_process import query
from tests.fakes import DIGEST, failed, make_row

_NOW = utc_now()


def _uploads(root: str, count: int = 5) -> list[Row]:
    """Let the Lambda write rows; the last is of a failure that may pass."""
    output = parse_location(root)
    rows = [make_row(f"s3://b/{number}.jpg", classified_at=_NOW) for number in range(count - 1)]
    rows.append(failed("s3://b/gone.jpg", "not_found", "gone"))
    for row in rows:
        assert WriteResult.CREATED is put_row(row, output)
    return rows


def _all(root: str) -> set[tuple[str, str, str | None]]:
    rows = list(read_rows(parse_location(root)))
    found = {(row.uri, row.etag, row.label) for row in rows}
    assert len(found) == len(rows)
    return found


def test_final_rows_move_and_others_stay(memory: str) -> None:
    """No row is lost or doubled, and the ledger knows the same pictures."""
    rows = _uploads(memory)
    output = parse_location(memory)
    before = _all(memory)

    done = compact(output, DIGEST)

    assert (5, 2, 4) == (done.before, done.after, done.rows)
    assert before == _all(memory)
    (left,) = list_upload_parts(output, DIGEST)
    ledger = read_ledger([part.uri for part in list_parts(output)])
    assert [True] * 4 == [row.ref in ledger for row in rows[:4]]
    assert 0 == compact(output, DIGEST).rows
    assert [left.uri] == [part.uri for part in list_upload_parts(output, DIGEST)]


def test_uploads_stay_if_asked(memory: str) -> None:
    """Where the Lambda removes rows, it must find them below `uploads/`."""
    _uploads(memory)
    output = parse_location(memory)
    assert 0 == compact(output, DIGEST, keep_uploads=True).rows
    assert 5 == len(list_upload_parts(output, DIGEST))


def test_uploads_merge_with_the_rows_of_batch_jobs(memory: str) -> None:
    """One object, in which the newest row of a picture is left."""
    output = parse_location(memory)
    old = make_row("s3://b/0.jpg", label="green", classified_at=_NOW - timedelta(days=1))
    other = make_row("s3://b/other.jpg", classified_at=_NOW)
    for row in (old, other):
        write(part_location(output, DIGEST, [row], "parquet"), _parquet(row))
    _uploads(memory, 3)

    compact(output, DIGEST)

    assert {
        ("s3://b/0.jpg", "red"),
        ("s3://b/1.jpg", "red"),
        ("s3://b/other.jpg", "red"),
        ("s3://b/gone.jpg", None),
    } == {(uri, label) for uri, _, label in _all(memory)}
    assert 2 == len(list_parts(output))


def _parquet(row: Row) -> bytes:
    return encode_rows([row], "parquet")


def test_a_merge_that_was_killed_is_completed(memory: str) -> None:
    """The rows are in the results, and some still among the uploads."""
    _uploads(memory)
    output, store = parse_location(memory), open_store(memory)
    expected = _all(memory)
    kept = {part.uri: store.read(parse_location(part.uri).key) for part in list_parts(output)}
    merge_uploads(output, DIGEST)
    for uri, data in list(kept.items())[:2]:
        store.write(parse_location(uri).key, data)

    compact(output, DIGEST)

    assert expected == _all(memory)


@pytest.mark.parametrize(
    "late",
    [
        lambda: make_row("s3://b/0.jpg", classified_at=_NOW + timedelta(hours=1)),
        lambda: failed("s3://b/0.jpg", "not_found", "removed since"),
    ],
    ids=["a duplicate delivery", "a late one of a picture that is gone"],
)
def test_a_delivery_after_the_merge_changes_no_answer(late: Callable[[], Row], memory: str) -> None:
    """Readers take the final row; the next compaction leaves one."""
    _uploads(memory)
    output = parse_location(memory)
    compact(output, DIGEST)
    put_row(late(), output)

    rows = [row for row in read_rows(output) if row.uri == "s3://b/0.jpg"]
    assert "red" == max(rows, key=precedence).label
    compact(output, DIGEST)
    assert (
        "red"
        == max(
            (row for row in read_rows(output) if row.uri == "s3://b/0.jpg"), key=precedence
        ).label
    )


def test_a_transient_row_may_be_replaced_while_it_is_merged(memory: str) -> None:
    """The Lambda overwrites only such rows, so a merge never deletes what it has not read."""
    output = parse_location(memory)
    put_row(failed("s3://b/a.jpg", "not_found", "gone"), output)
    merge_uploads(output, DIGEST)
    row = make_row("s3://b/a.jpg", etag=failed("s3://b/a.jpg", "not_found", "").etag)

    assert WriteResult.REPLACED is put_row(row, output)
    assert ["red"] == [one.label for one in read_rows(output)]


def test_athenas_tables_have_the_columns_and_the_partitions_of_the_objects() -> None:
    """Athena reads Parquet's columns by name, and finds a partition by its template alone."""
    text = (ROOT / "docs" / "bulk.md").read_text()
    tables = re.findall(
        r"create external table (\w+) \((.*?)\)\npartitioned by \(digest string\)"
        r".*?'storage.location.template' = '(.*?)'",
        text,
        re.DOTALL,
    )
    types = {
        "int64": "bigint", "int32": "int", "timestamp[ms, tz=UTC]": "timestamp",
        "list<item: string>": "array<string>",
        "list<item: struct<label: string, score: float>>":
        "array<struct<label: string, score: float>>",
    }  # fmt: skip
    expected = {each.name: types.get(str(each.type), str(each.type)) for each in arrow_schema()}
    output, row = parse_location("s3://labels/2026"), make_row()
    objects = {
        "labels": part_location(output, row.model_digest, [row], "parquet"),
        "uploads": upload_location(output, row.model_digest, row.ref),
    }
    assert objects.keys() == {name for name, *_ in tables}
    for name, columns, template in tables:
        found = dict(re.findall(r"(\w+) (array<struct<.*?>>|array<\w+>|\w+)(?:,|$)", columns))
        if name == "labels":
            assert expected == found
        else:  # JSON has the time as text
            assert {**expected, "classified_at": "string"}.items() >= found.items()
        folder = template.replace("${digest}", row.model_digest[:12])
        assert f"{objects[name].uri.rpartition('/')[0]}/" == folder


def test_the_documented_query_reads_both(tmp_path: Path) -> None:
    """The first query of docs/bulk.md, before and after `seefood compact`."""
    _uploads(str(tmp_path))
    output = parse_location(str(tmp_path))
    batch = make_row("s3://b/batch.jpg", classified_at=_NOW)
    write(part_location(output, DIGEST, [batch], "parquet"), _parquet(batch))
    (sql,) = re.findall(
        r"latest row of each picture.*?```sql\n(.*?)```",
        (ROOT / "docs" / "bulk.md").read_text(),
        re.DOTALL,
    )
    sql = sql.replace("DEST", str(tmp_path)).replace(
        "select * from rows", "select uri, label from rows"
    )

    labels = dict.fromkeys((*"0123", "batch"), "red") | {"gone": None}
    expected = [(f"s3://b/{name}.jpg", label) for name, label in labels.items()]
    assert expected == sorted(query(sql))
    done = CliRunner().invoke(compact_command, [str(tmp_path)], catch_exceptions=False)
    assert "6 objects became 2" in done.stdout
    assert expected == sorted(query(sql))
