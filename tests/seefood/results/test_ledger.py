"""The ledger: which pictures already have a row."""

import pytest

from seefood.errors import JobError
from seefood.records import ImageRef
from seefood.results.files import encode_rows, list_parts, part_location, upload_location
from seefood.results.formats import format_names
from seefood.results.ledger import Ledger, ledger_key, read_ledger
from seefood.storage import write
from seefood.storage.uris import parse_location
from tests.fakes import DIGEST, failed, make_row


def test_nothing_is_in_an_empty_ledger() -> None:
    """On a first run nothing is done."""
    ledger = Ledger([])
    assert 0 == len(ledger)
    assert ImageRef("s3://b/a", "e") not in ledger


def test_uri_and_tag_decide() -> None:
    """Other content under the same URI, or the same under another, is not done."""
    ledger = Ledger([ledger_key("s3://b/a", "e1"), ledger_key("s3://b/a", "e1")])
    assert 1 == len(ledger)
    assert ImageRef("s3://b/a", "e1", 99, "v2") in ledger
    assert ImageRef("s3://b/a", "e2") not in ledger
    assert ImageRef("s3://b/b", "e1") not in ledger
    assert ImageRef("s3://b/ae", "1") not in ledger


def test_keys_with_zero_bytes_are_found() -> None:
    """Hashes with zero bytes at any position are distinct like any others."""
    zeros = [
        (f"s3://b/{number}", "e")
        for number in range(4000)
        if len(ledger_key(f"s3://b/{number}", "e")) < 16
        or b"\0" in ledger_key(f"s3://b/{number}", "e")
    ]
    assert any(len(ledger_key(*pair)) < 16 for pair in zeros)
    half = Ledger(ledger_key(*pair) for pair in zeros[::2])
    contained = [ImageRef(uri, etag) in half for uri, etag in zeros]
    assert [index % 2 == 0 for index in range(len(zeros))] == contained


def test_parts_of_every_format_and_uploads_count(memory: str) -> None:
    """Pictures with permanent failures are done as well."""
    output = parse_location(f"{memory}/out")
    for name in format_names():
        rows = [make_row(f"s3://b/{name}.jpg"), failed(f"s3://b/{name}.bad", "corrupt", "no")]
        write(
            part_location(output, DIGEST, [ImageRef(row.uri) for row in rows], name),
            encode_rows(rows, name),
        )
    upload = ImageRef("s3://b/upload.jpg", "e1")
    write(upload_location(output, DIGEST, upload), encode_rows([make_row(upload.uri)], "jsonl"))
    ledger = read_ledger(part.uri for part in list_parts(output, DIGEST))
    assert 1 + 2 * len(format_names()) == len(ledger)
    assert upload in ledger
    for name in format_names():
        assert ImageRef(f"s3://b/{name}.jpg", "e1") in ledger
        assert ImageRef(f"s3://b/{name}.bad", "e1") in ledger
    assert 0 == len(read_ledger(part.uri for part in list_parts(output, "f" * 64)))


@pytest.mark.parametrize(
    "name", ["part-x.parquet", "part-x.jsonl", "part-x.csv", "part-gone.parquet"]
)
def test_a_part_that_cannot_be_read_stops(memory: str, name: str) -> None:
    """An unreadable part is an error with its name: its pictures would be classified twice."""
    location = parse_location(f"{memory}/out/{name}")
    if "gone" not in name:
        write(location, b"[1]\n")
    cause = "is gone since it was listed" if "gone" in name else "holds no rows of seefood"
    with pytest.raises(JobError, match=f"{name} {cause}"):
        read_ledger([location.uri])
