from datetime import timedelta
from pathlib import Path

import pytest

from seefood.errors import JobError, UsageError
from seefood.records import ImageRef, Row, utc_now
from seefood.results.arrow import arrow_schema, rows_of
from seefood.results.compaction import compact
from seefood.results.files import PartGoneError, encode_rows, list_parts, upload_location
from seefood.results.formats import format_names
from seefood.results.output_rows import OutputRows, batches_while_written, open_rows
from seefood.storage import open_store, write
from seefood.storage.uris import parse_location
from tests.conftest import Bucket
from tests.fakes import DIGEST, failed, make_row

_NOW = utc_now()
_OLD = _NOW - timedelta(days=1)
_OTHER = "f" * 64


def put_part(root: str, name: str, *rows: Row, suffix: str = "parquet") -> None:
    """Write rows as one result object of the first row's model."""
    folder = f"{root}/results/digest={rows[0].model_digest[:12]}"
    write(parse_location(f"{folder}/part-{name}.{suffix}"), encode_rows(rows, suffix))


def _put_upload(root: str, row: Row) -> None:
    location = upload_location(
        parse_location(root), row.model_digest, ImageRef(row.uri, row.etag, row.size_bytes)
    )
    write(location, encode_rows([row], "jsonl"))


def _labels(rows: OutputRows) -> dict[tuple[str, str], str | None]:
    return {
        (uri, etag): label
        for batch in rows.batches(("label", "uri", "etag"))
        for label, uri, etag in zip(*(column.to_pylist() for column in batch), strict=True)
    }


@pytest.mark.parametrize("suffix", format_names())
def test_every_column_of_every_format(suffix: str, memory: str) -> None:
    """Batches hold what was written, in the types of the schema."""
    rows = [
        make_row("s3://b/1"),
        make_row("s3://b/2", labels=("red", "green"), version_id="v"),
        failed("s3://b/3", "corrupt", "bad, really\nbad"),
    ]
    put_part(memory, "a", *rows, suffix=suffix)
    (batch,) = open_rows(parse_location(memory)).batches()
    assert arrow_schema() == batch.schema
    assert rows == list(rows_of(batch))


def test_rows_of_batches_and_uploads_are_joined(memory: str) -> None:
    """Objects of both kinds and of several formats make one set of rows."""
    put_part(memory, "a", make_row("s3://b/1"), make_row("s3://b/2"))
    put_part(memory, "b", make_row("s3://b/3"), suffix="csv")
    for number in range(4, 50):
        _put_upload(memory, make_row(f"s3://b/{number}"))
    rows = open_rows(parse_location(memory))
    assert 49 == rows.count
    (batch,) = rows.batches(("uri",))
    assert {f"s3://b/{number}" for number in range(1, 50)} == set(batch["uri"].to_pylist())


def test_the_newest_row_of_all_models_counts(memory: str) -> None:
    """Without a digest each picture has the row of the model that saw it last."""
    put_part(memory, "a", *(make_row(f"s3://b/{n}", classified_at=_OLD) for n in (1, 2)))
    put_part(memory, "b", make_row("s3://b/2", label="green", model_digest=_OTHER))
    output = parse_location(memory)
    both = {("s3://b/1", "e1"): "red", ("s3://b/2", "e1"): "green"}
    assert both == _labels(open_rows(output))
    assert (DIGEST[:12], _OTHER[:12]) == open_rows(output).digests
    assert dict.fromkeys(both, "red") == _labels(open_rows(output, DIGEST))


def test_a_replaced_picture_has_one_row_unless_asked(memory: str) -> None:
    """The content that is in the bucket now counts; older ones are there on request."""
    put_part(memory, "a", make_row(classified_at=_OLD), make_row("s3://b/b.jpg"))
    put_part(memory, "b", make_row(etag="e2", label="green"))
    output = parse_location(memory)
    new = {("s3://b/a.jpg", "e2"): "green", ("s3://b/b.jpg", "e1"): "red"}
    assert new == _labels(open_rows(output))
    old = {("s3://b/a.jpg", "e1"): "red"}
    assert {**new, **old} == _labels(open_rows(output, with_replaced=True))


def test_a_transient_failure_does_not_hide_a_label(memory: str) -> None:
    """Of one content the label counts; of a new content its failure does."""
    put_part(memory, "a", make_row("s3://b/1", classified_at=_OLD))
    put_part(memory, "b", failed("s3://b/1", "forbidden", "x"))
    assert {("s3://b/1", "e1"): "red"} == _labels(open_rows(parse_location(memory)))
    put_part(memory, "c", make_row("s3://b/1", etag="e2", label=None, error_code="forbidden"))
    assert {("s3://b/1", "e2"): None} == _labels(open_rows(parse_location(memory)))


def test_many_rows_come_in_bounded_batches(tmp_path: Path) -> None:
    """No batch has more than 8192 rows, and none is lost at the borders of objects."""
    for part, size in enumerate((9000, 100, 8192)):
        put_part(str(tmp_path), f"{part}", *(make_row(f"s3://b/{part}/{n}") for n in range(size)))
    batches = list(open_rows(parse_location(str(tmp_path))).batches(("uri",)))
    assert 8192 >= max(batch.num_rows for batch in batches)
    assert 17292 == len({uri for batch in batches for uri in batch["uri"].to_pylist()})


def test_rows_in_s3(s3: Bucket) -> None:
    """A bucket's rows are read as local ones."""
    put_part(f"{s3.uri}/out", "a", make_row("s3://b/1"), make_row("s3://b/2"))
    assert 2 == len(_labels(open_rows(parse_location(f"{s3.uri}/out"))))


def test_an_output_without_rows_is_refused(memory: str, tmp_path: Path) -> None:
    """The message names the output; an absent model's names the model."""
    for root in (memory, str(tmp_path), str(tmp_path / "absent")):
        with pytest.raises(UsageError, match="there are no rows below"):
            open_rows(parse_location(root))
    put_part(memory, "a", make_row())
    with pytest.raises(UsageError, match=f"no rows of the model {_OTHER[:12]} below"):
        open_rows(parse_location(memory), _OTHER)


def test_what_cannot_be_read_stops(memory: str) -> None:
    """Foreign content and an object that vanished are named."""
    put_part(memory, "a", make_row())
    rows = open_rows(parse_location(memory))
    write(parse_location(f"{memory}/results/digest=0/part-z.parquet"), b"no rows")
    with pytest.raises(JobError, match=r"part-z\.parquet holds no rows"):
        open_rows(parse_location(memory))
    part = parse_location(rows.parts[0].uri)
    open_store(part.root).delete(part.key)
    with pytest.raises(JobError, match="gone since it was listed"):
        list(rows.batches())


def test_rows_that_a_compaction_moves_meanwhile_are_read(memory: str) -> None:
    """None is missing when objects that were listed are gone; without a compaction, none is new."""
    output = parse_location(memory)
    uris = {f"s3://b/{number}" for number in range(100)}
    for uri in uris:
        _put_upload(memory, make_row(uri))
    parts = list_parts(output)

    batches = batches_while_written(output, parts, ("uri",))
    read = next(batches)["uri"].to_pylist()
    compact(output, DIGEST)
    read += [uri for batch in batches for uri in batch["uri"].to_pylist()]

    assert uris == set(read)
    with pytest.raises(PartGoneError, match="run the same command again"):
        list(OutputRows(output, tuple(parts), 100, {}).batches())
