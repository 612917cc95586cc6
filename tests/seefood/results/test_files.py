"""Rows to result objects and back: the contract that other people's scripts stand on."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seefood.errors import ErrorCode, JobError
from seefood.records import ImageRef, Row, Status
from seefood.results.files import (
    FORMATS,
    Format,
    arrow_schema,
    decode_rows,
    encode_rows,
    list_parts,
    part_format,
    part_location,
    read_rows,
    upload_location,
)
from seefood.storage import write
from seefood.storage.uris import parse_location
from tests.fakes import DIGEST, failed, make_row

NOON = datetime(2026, 11, 23, 12, 0, 0, 123_000, tzinfo=UTC)
ROWS = [
    make_row("s3://b/a b+%.jpg", classified_at=NOON),
    make_row("s3://b/ünï🌭\n.jpg", status=Status.UNSURE, version_id="v1", classified_at=NOON),
    make_row("file:///a%FF.jpg", label='a,"b"\nc', top=(('a,"b"\nc', 0.5),), score=0.5,
             classified_at=NOON),
    failed("s3://b/c.jpg", "not_found", "the object is gone since it was listed"),
    make_row("s3://b/empty.jpg", etag="", size_bytes=0, top=(), classified_at=NOON),
]  # fmt: skip
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "'quoted", "'=1", "''+x", "plain"]


@pytest.mark.parametrize("form", FORMATS)
def test_rows_round_trip(form: Format) -> None:
    """Every format gives back the rows that were written, in order."""
    assert ROWS == list(decode_rows(encode_rows(ROWS, form), form))
    assert [] == list(decode_rows(encode_rows([], form), form))


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
_SCORES = st.floats(0, 1, width=32)


@settings(max_examples=60, deadline=None)
@given(uri=_TEXT, label=_TEXT.filter(bool), message=_TEXT.filter(bool), score=_SCORES)
@pytest.mark.parametrize("form", FORMATS)
def test_any_text_round_trips(
    form: Format, uri: str, label: str, message: str, score: float
) -> None:
    """Names, labels and messages may hold any text."""
    rows = [
        make_row(f"s3://b/{uri}", label=label, top=((label, score),), score=score),
        failed(f"s3://b/{uri}", "corrupt", message),
    ]
    assert rows == list(decode_rows(encode_rows(rows, form), form))


@pytest.mark.parametrize("form", FORMATS)
def test_half_a_character_does_not_cost_a_chunk(form: Format) -> None:
    """A lone surrogate in a decoder's message is written as an escape, in every format."""
    rows = [failed("s3://b/a.jpg", "corrupt", "damaged \udcff"), make_row()]
    back = list(decode_rows(encode_rows(rows, form), form))
    assert [row.uri for row in rows] == [row.uri for row in back]


def test_the_columns_are_the_contracts() -> None:
    """Names, types and which may be null stand in the contract, in this order."""
    expected = """
        uri: string not null
        etag: string not null
        version_id: string
        size_bytes: int64 not null
        width: int32
        height: int32
        format: string
        label: string
        score: float
        top: list<element: struct<label: string, score: float>>
        status: string not null
        error_code: string
        error_message: string
        model: string not null
        model_digest: string not null
        engine: string not null
        classified_at: timestamp[ms, tz=UTC]
    """
    written = pq.read_schema(io.BytesIO(encode_rows(ROWS, "parquet")))
    lines = []
    for field in written:
        kind = str(field.type).replace("item:", "element:")
        lines.append(f"{field.name}: {kind}{'' if field.nullable else ' not null'}")
    assert [line.strip() for line in expected.strip().splitlines()] == lines
    assert isinstance(arrow_schema(), pa.Schema)


def test_one_json_line_is_the_row(tmp_path: Path) -> None:
    """JSON lines: one object a row, in the order of the columns, the time as ISO 8601."""
    del tmp_path
    lines = encode_rows(ROWS, "jsonl").splitlines()
    assert len(ROWS) == len(lines)
    document = json.loads(lines[0])
    assert list(arrow_schema().names) == list(document)
    assert "2026-11-23T12:00:00.123Z" == document["classified_at"]
    assert [{"label": "red", "score": 0.75}, {"label": "green", "score": 0.25}] == document["top"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_spreadsheet_runs_nothing(text: str) -> None:
    """Text that a spreadsheet would run is quoted in CSV, and comes back as it was."""
    rows = [
        make_row(label=text, top=((text, 1.0),), score=1.0),
        failed("s3://b/a", "corrupt", text),
    ]
    data = encode_rows(rows, "csv")
    cells = [cell for line in csv.reader(io.StringIO(data.decode(), newline="")) for cell in line]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert rows == list(decode_rows(data, "csv"))


@pytest.mark.parametrize("form", FORMATS)
def test_many_labels_fit(form: Format) -> None:
    """A row of 20,000 labels is read again, though CSV's cells are then very long."""
    top = tuple((f"label number {number}", 0.5) for number in range(20_000))
    (row,) = decode_rows(encode_rows([make_row(top=top)], form), form)
    assert top == row.top


def test_duckdb_just_works(tmp_path: Path) -> None:
    """The contract's one-liner counts labels over all parts of an output."""
    output = parse_location(str(tmp_path))
    for number in range(3):
        ref = ImageRef(f"s3://b/{number}", "e")
        write(part_location(output, DIGEST, [ref], "parquet"), encode_rows(ROWS, "parquet"))
    query = f"select label, count(*) from '{tmp_path}/results/**/*.parquet' group by 1"  # noqa: S608
    counts = dict(duckdb.execute(query).fetchall())
    assert {"red": 9, 'a,"b"\nc': 3, None: 3} == counts
    times = duckdb.execute(f"select max(classified_at) from '{tmp_path}/results/**/*.parquet'")  # noqa: S608
    assert 1 == len(times.fetchall())


def test_a_part_is_named_by_its_content() -> None:
    """The same references under the same model have the same name; anything else another."""
    output = parse_location("s3://out/x")
    refs = [ImageRef("s3://b/1", "e1"), ImageRef("s3://b/2", "e2")]
    location = part_location(output, DIGEST, refs, "parquet")
    assert location == part_location(output, DIGEST, refs, "parquet")
    assert location.uri.startswith("s3://out/x/results/digest=0123456789ab/part-")
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
    assert "json" == part_format(first.uri)


def test_all_parts_of_an_output_are_read(memory: str) -> None:
    """Bulk parts of every format and uploads are one data set; strange files are none of it."""
    output = parse_location(f"{memory}/out")
    assert [] == list_parts(output)
    for form in FORMATS:
        row = make_row(f"s3://b/{form}")
        ref = ImageRef(row.uri)
        write(part_location(output, DIGEST, [ref], form), encode_rows([row], form))
    upload = make_row("s3://b/upload", classified_at=NOON)
    write(upload_location(output, DIGEST, ImageRef("u")), encode_rows([upload], "jsonl"))
    write(output.child(f"results/digest={DIGEST[:12]}/README.md"), b"not a part")
    other = make_row("s3://b/other", model_digest="f" * 64)
    write(part_location(output, "f" * 64, [ImageRef("o")], "jsonl"), encode_rows([other], "jsonl"))
    assert 5 == len(list_parts(output))
    assert {"s3://b/parquet", "s3://b/jsonl", "s3://b/csv", "s3://b/upload"} == {
        row.uri for row in read_rows(output, DIGEST)
    }
    assert 5 == len(list(read_rows(output)))


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("parquet", b"PAR1 not at all"),
        ("parquet", b""),
        ("jsonl", b"{}\n"),
        ("jsonl", b"[1]\n"),
        ("jsonl", b"3\n"),
        ("jsonl", b"\xff\n"),
        ("csv", b"a,b\n1,2\n"),
        ("csv", b"\xff\n"),
        ("csv", b'uri,etag\n"open'),
    ],
)
def test_foreign_files_among_the_results_are_named(memory: str, form: str, data: bytes) -> None:
    """A part that holds something else stops with its URI and what to do."""
    output = parse_location(f"{memory}/out")
    write(output.child(f"results/digest=0123456789ab/part-x.{form}"), data)
    with pytest.raises(JobError, match=rf"part-x\.{form} holds no rows of seefood .*move it away"):
        list(read_rows(output))


def test_parquet_of_others_is_named(memory: str) -> None:
    """A Parquet file with other columns is no part either."""
    output = parse_location(f"{memory}/out")
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": [1]}), sink)
    write(output.child("results/digest=0123456789ab/part-x.parquet"), sink.getvalue())
    with pytest.raises(JobError, match="holds no rows of seefood"):
        list(read_rows(output))


def test_error_codes_are_lower_case_words() -> None:
    """The closed list of codes reads well in a table."""
    assert all(code.value == code.name.lower() for code in ErrorCode)
    assert isinstance(make_row(), Row)
