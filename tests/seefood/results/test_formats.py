"""Rows to bytes and back in every format: the contract that users' scripts rely on."""

import csv
import io
import json
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seefood.errors import UsageError
from seefood.records import Status
from seefood.results.arrow import arrow_schema
from seefood.results.columns import COLUMNS, REQUIRED
from seefood.results.formats import format_names, format_of, register_format, result_format
from seefood.results.formats.jsonl import JsonLines
from tests.fakes import failed, make_row

NOON = datetime(2026, 11, 23, 12, 0, 0, 123_000, tzinfo=UTC)
ROWS = [
    make_row("s3://b/a b+%.jpg", classified_at=NOON),
    make_row("s3://b/ünï🌭\n.jpg", status=Status.UNSURE, version_id="v1", classified_at=NOON),
    make_row("file:///a%FF.jpg", label='a,"b"\nc', top=(('a,"b"\nc', 0.5),), score=0.5,
             classified_at=NOON),
    failed("s3://b/c.jpg", "not_found", "the object is gone since it was listed"),
    make_row("s3://b/two.jpg", labels=("red", "=ü,b"), classified_at=NOON),
    make_row("s3://b/none.jpg", labels=(), status=Status.UNSURE, classified_at=NOON),
    make_row("s3://b/taken.jpg", phash="00ff00ff00ff00ff", taken_at=NOON, classified_at=NOON),
    make_row("s3://b/empty.jpg", etag="", size_bytes=0, top=(), classified_at=NOON),
]  # fmt: skip
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "'quoted", "'=1", "''+x", "plain"]
every_format = pytest.mark.parametrize("name", format_names())


@every_format
def test_rows_round_trip(name: str) -> None:
    """Decoding returns the rows that were encoded, in order."""
    file_format = result_format(name)
    assert ROWS == list(file_format.decode(file_format.encode(ROWS)))
    assert [] == list(file_format.decode(file_format.encode([])))


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
_SCORES = st.floats(0, 1, width=32)


@settings(max_examples=60, deadline=None)
@given(uri=_TEXT, label=_TEXT.filter(bool), message=_TEXT.filter(bool), score=_SCORES)
@every_format
def test_any_text_round_trips(name: str, uri: str, label: str, message: str, score: float) -> None:
    """Names, labels and messages may hold any text."""
    file_format = result_format(name)
    rows = [
        make_row(f"s3://b/{uri}", label=label, top=((label, score),), score=score),
        failed(f"s3://b/{uri}", "corrupt", message),
    ]
    assert rows == list(file_format.decode(file_format.encode(rows)))


@every_format
def test_lone_surrogates_are_written_as_escapes(name: str) -> None:
    """Half a character in a decoder's message does not fail the chunk."""
    file_format = result_format(name)
    rows = [failed("s3://b/a.jpg", "corrupt", "damaged \udcff"), make_row()]
    back = list(file_format.decode(file_format.encode(rows)))
    assert [row.uri for row in rows] == [row.uri for row in back]


@every_format
def test_many_labels_fit(name: str) -> None:
    """A row with 20,000 labels can be read back, although its CSV cell is very long."""
    file_format = result_format(name)
    top = tuple((f"label number {number}", 0.5) for number in range(20_000))
    (row,) = file_format.decode(file_format.encode([make_row(top=top)]))
    assert top == row.top


@every_format
def test_columns_are_read_without_the_others(name: str) -> None:
    """Some columns of each row, in the order of the request."""
    file_format = result_format(name)
    names = ("error_code", "uri", "size_bytes", "score", "classified_at")
    expected = [tuple(getattr(row, name) for name in names) for row in ROWS]
    assert expected == list(file_format.read_columns(file_format.encode(ROWS), names))


@pytest.mark.parametrize("name", ["jsonl", "csv"])
def test_a_part_without_a_last_line_break_is_merged(name: str) -> None:
    """Other tools write none; the rows on both sides of it stay two rows."""
    file_format = result_format(name)
    parts = [file_format.encode(ROWS[:2]).rstrip(b"\r\n"), file_format.encode(ROWS[2:])]
    assert ROWS == list(file_format.decode(file_format.merge(parts)))


@every_format
def test_parts_are_counted_merged_and_thinned(name: str) -> None:
    """Merging keeps every row, and removing takes away exactly the rows at the indices."""
    file_format = result_format(name)
    parts = [file_format.encode(ROWS[:2]), file_format.encode(ROWS[2:])]
    merged = file_format.merge(parts)
    assert [2, 6, 8] == [file_format.count(data) for data in (*parts, merged)]
    by_uri = sorted(ROWS, key=lambda row: row.uri)
    assert by_uri == sorted(file_format.decode(merged), key=lambda row: row.uri)
    left = file_format.remove(file_format.encode(ROWS), {0, 3})
    assert [ROWS[1], ROWS[2], *ROWS[4:]] == list(file_format.decode(left))


def _without(name: str, column: str) -> bytes:
    """Return a row as a release wrote it that had no such column."""
    row = make_row(classified_at=NOON)
    if name == "parquet":
        table = pq.read_table(io.BytesIO(result_format(name).encode([row])))
        sink = io.BytesIO()
        pq.write_table(table.drop_columns([column]), sink)
        return sink.getvalue()
    document = row.as_json()
    del document[column]
    if name == "jsonl":
        return json.dumps(document).encode() + b"\n"
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, document)
    writer.writeheader()
    writer.writerow({**document, "top": json.dumps(document.get("top"))})
    return text.getvalue().encode()


@every_format
def test_a_row_without_a_nullable_column_is_readable(name: str) -> None:
    """Results from before a nullable column existed are read and merged with newer ones."""
    file_format = result_format(name)
    old = _without(name, "error_message")
    row = make_row(classified_at=NOON)
    assert [row] == list(file_format.decode(old))
    assert [(row.uri, None)] == list(file_format.read_columns(old, ("uri", "error_message")))
    merged = file_format.merge([old, file_format.encode(ROWS)])
    assert 1 + len(ROWS) == len(list(file_format.decode(merged)))


@every_format
@pytest.mark.parametrize("column", sorted(REQUIRED))
def test_a_row_without_a_required_column_is_refused(name: str, column: str) -> None:
    """The error names the column."""
    file_format = result_format(name)
    with pytest.raises(ValueError, match=column):
        list(file_format.decode(_without(name, column)))
    with pytest.raises(ValueError, match=column):
        list(file_format.read_columns(_without(name, column), (column,)))


def test_the_columns_are_the_contracts() -> None:
    """Names, types, nullability and order are those of the contract."""
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
        labels: list<element: string>
        phash: string
        taken_at: timestamp[ms, tz=UTC]
        brightness: float
        contrast: float
        sharpness: float
        uprightness: float
        jpeg_quality: int32
        novelty: float
    """
    written = pq.read_schema(io.BytesIO(result_format("parquet").encode(ROWS)))
    lines = []
    for field in written:
        kind = str(field.type).replace("item:", "element:")
        lines.append(f"{field.name}: {kind}{'' if field.nullable else ' not null'}")
    assert [line.strip() for line in expected.strip().splitlines()] == lines
    assert isinstance(arrow_schema(), pa.Schema)


def test_one_json_line_is_the_row() -> None:
    """JSON lines: one object a row, in the order of the columns, the time as ISO 8601."""
    lines = result_format("jsonl").encode(ROWS).splitlines()
    assert len(ROWS) == len(lines)
    document = json.loads(lines[0])
    assert [column.name for column in COLUMNS] == list(document)
    assert "2026-11-23T12:00:00.123Z" == document["classified_at"]
    assert [{"label": "red", "score": 0.75}, {"label": "green", "score": 0.25}] == document["top"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_spreadsheet_runs_nothing(text: str) -> None:
    """Text that a spreadsheet would run is quoted in CSV, and reading restores it."""
    rows = [
        make_row(label=text, top=((text, 1.0),), score=1.0),
        failed("s3://b/a", "corrupt", text),
    ]
    data = result_format("csv").encode(rows)
    cells = [cell for line in csv.reader(io.StringIO(data.decode(), newline="")) for cell in line]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert rows == list(result_format("csv").decode(data))


def test_a_format_is_known_by_its_suffix() -> None:
    """Rows of uploads (`.json`) are JSON lines; other names are not results."""
    assert result_format("jsonl") is format_of("s3://b/1.json") is format_of("s3://b/1.jsonl")
    assert format_of("s3://b/README.md") is None
    assert format_of("s3://b/parquet/x") is None


def test_an_unknown_format_is_a_usage_error() -> None:
    """The message lists the formats."""
    with pytest.raises(UsageError, match="no format 'xml'; use one of parquet, jsonl, csv"):
        result_format("xml")


def test_a_suffix_belongs_to_one_format() -> None:
    """Registering it twice is an error."""
    with pytest.raises(ValueError, match="suffix 'jsonl'"):
        register_format(JsonLines())
