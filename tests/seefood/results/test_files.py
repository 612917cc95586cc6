"""Result objects in an output: names, lists and reading."""

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seefood.errors import JobError
from seefood.records import ImageRef
from seefood.results.files import (
    digest_of,
    encode_rows,
    list_batch_parts,
    list_parts,
    part_location,
    read_part,
    read_rows,
    upload_location,
)
from seefood.results.formats import format_names
from seefood.storage import write
from seefood.storage.uris import parse_location
from tests.duckdb_process import query as duckdb_rows
from tests.fakes import DIGEST, failed, make_row

ROWS = [make_row(), make_row("s3://b/b.jpg"), failed("s3://b/c.jpg", "not_found", "gone")]


def test_duckdb_reads_the_results(tmp_path: Path) -> None:
    """The contract's one-liner counts labels over all parts of an output."""
    output = parse_location(str(tmp_path))
    for number in range(3):
        ref = ImageRef(f"s3://b/{number}", "e")
        write(part_location(output, DIGEST, [ref], "parquet"), encode_rows(ROWS, "parquet"))
    query = f"select label, count(*) from '{tmp_path}/results/**/*.parquet' group by 1"  # noqa: S608
    assert {"red": 6, None: 3} == dict(duckdb_rows(query))
    times = duckdb_rows(f"select max(classified_at) from '{tmp_path}/results/**/*.parquet'")  # noqa: S608
    assert 1 == len(times)


def test_a_part_is_named_by_its_content() -> None:
    """The same references under the same model have the same name; anything else another."""
    output = parse_location("s3://out/x")
    refs = [ImageRef("s3://b/1", "e1"), ImageRef("s3://b/2", "e2")]
    location = part_location(output, DIGEST, refs, "parquet")
    assert location == part_location(output, DIGEST, refs, "parquet")
    assert location.uri.startswith("s3://out/x/results/digest=0123456789ab/part-")
    assert DIGEST[:12] == digest_of(location.uri)
    others = [
        part_location(output, DIGEST, refs[:1], "parquet"),
        part_location(output, DIGEST, refs[::-1], "parquet"),
        part_location(output, DIGEST, [refs[0], ImageRef("s3://b/2", "e3")], "parquet"),
        part_location(output, DIGEST, [refs[0], ImageRef("s3://b/2", "e2", 0, "v")], "parquet"),
        part_location(output, "f" * 64, refs, "parquet"),
    ]
    assert 6 == len({location, *others})


def test_an_upload_is_named_by_its_object() -> None:
    """A duplicate event writes the same object."""
    output = parse_location("s3://out")
    first = upload_location(output, DIGEST, ImageRef("s3://b/1", "e1", 5))
    assert first == upload_location(output, DIGEST, ImageRef("s3://b/1", "e1", 6))
    assert first != upload_location(output, DIGEST, ImageRef("s3://b/1", "e2", 5))
    assert first.uri.endswith(".json")


def test_all_parts_of_an_output_are_read(memory: str) -> None:
    """Batch parts of every format and uploads are one data set; other files are ignored."""
    output = parse_location(f"{memory}/out")
    assert [] == list_parts(output)
    for name in format_names():
        row = make_row(f"s3://b/{name}")
        write(part_location(output, DIGEST, [ImageRef(row.uri)], name), encode_rows([row], name))
    upload = make_row("s3://b/upload")
    write(upload_location(output, DIGEST, ImageRef("u")), encode_rows([upload], "jsonl"))
    write(output.child(f"results/digest={DIGEST[:12]}/README.md"), b"not a part")
    other = make_row("s3://b/other", model_digest="f" * 64)
    write(part_location(output, "f" * 64, [ImageRef("o")], "jsonl"), encode_rows([other], "jsonl"))
    batch = {f"s3://b/{name}" for name in format_names()}
    assert {*batch, "s3://b/upload"} == {row.uri for row in read_rows(output, DIGEST)}
    assert len(batch) + 2 == len(list_parts(output)) == len(list(read_rows(output)))
    assert len(batch) == len(list_batch_parts(output, DIGEST))


@pytest.mark.parametrize(
    ("suffix", "data"),
    [
        ("parquet", b"PAR1 not at all"),
        ("parquet", b""),
        ("jsonl", b"{}\n"),
        ("jsonl", b"[1]\n"),
        ("jsonl", b"3\n"),
        ("jsonl", b"\xff\n"),
        ("csv", b""),
        ("csv", b"a,b\n1,2\n"),
        ("csv", b"\xff\n"),
        ("csv", b'uri,etag\n"open'),
    ],
)
def test_foreign_files_among_the_results_are_named(memory: str, suffix: str, data: bytes) -> None:
    """A part that holds something else is an error with its URI and the cure."""
    output = parse_location(f"{memory}/out")
    write(output.child(f"results/digest=0123456789ab/part-x.{suffix}"), data)
    expected = rf"part-x\.{suffix} holds no rows of seefood .*move it away"
    with pytest.raises(JobError, match=expected):
        list(read_rows(output))


def test_parquet_of_others_is_named(memory: str) -> None:
    """A Parquet file with other columns is no part either."""
    output = parse_location(f"{memory}/out")
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": [1]}), sink)
    write(output.child("results/digest=0123456789ab/part-x.parquet"), sink.getvalue())
    with pytest.raises(JobError, match="holds no rows of seefood"):
        list(read_rows(output))


def test_a_part_is_read_by_rows_or_by_columns(memory: str) -> None:
    """Without columns whole rows come, with columns tuples of their values."""
    uri = f"{memory}/part.jsonl"
    write(parse_location(uri), encode_rows(ROWS, "jsonl"))
    assert [row.uri for row in ROWS] == [row.uri for row in read_part(uri)]
    assert [(row.label, row.uri) for row in ROWS] == list(read_part(uri, ("label", "uri")))
    with pytest.raises(JobError, match="name of no result object"):
        list(read_part(f"{memory}/part.txt"))
