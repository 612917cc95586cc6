"""The ledger: the results themselves say what is done."""

import pytest

from seefood.errors import JobError
from seefood.records import ImageRef
from seefood.results.files import FORMATS, encode_rows, list_parts, part_location, upload_location
from seefood.results.ledger import Ledger, ledger_key, read_ledger
from seefood.storage import write
from seefood.storage.uris import parse_location
from tests.fakes import DIGEST, failed, make_row


def test_nothing_is_in_an_empty_ledger() -> None:
    """A first run has everything to do."""
    ledger = Ledger([])
    assert 0 == len(ledger)
    assert ImageRef("s3://b/a", "e") not in ledger


def test_uri_and_tag_decide() -> None:
    """Another content at the same place, or the same at another, is not done."""
    ledger = Ledger([ledger_key("s3://b/a", "e1"), ledger_key("s3://b/a", "e1")])
    assert 1 == len(ledger)
    assert ImageRef("s3://b/a", "e1", 99, "v2") in ledger
    assert ImageRef("s3://b/a", "e2") not in ledger
    assert ImageRef("s3://b/b", "e1") not in ledger
    assert ImageRef("s3://b/ae", "1") not in ledger


def test_keys_with_zero_bytes_are_found() -> None:
    """Hashes that end in, begin with or hold zero bytes are told apart like any other."""
    zeros = [
        (f"s3://b/{number}", "e")
        for number in range(4000)
        if len(ledger_key(f"s3://b/{number}", "e")) < 16
        or b"\0" in ledger_key(f"s3://b/{number}", "e")
    ]
    assert any(len(ledger_key(*pair)) < 16 for pair in zeros)
    half = Ledger(ledger_key(*pair) for pair in zeros[::2])
    found = [ImageRef(uri, etag) in half for uri, etag in zeros]
    assert [index % 2 == 0 for index in range(len(zeros))] == found


def test_parts_of_every_format_and_uploads_count(memory: str) -> None:
    """Also failed pictures are done: their row is there."""
    output = parse_location(f"{memory}/out")
    for form in FORMATS:
        rows = [make_row(f"s3://b/{form}.jpg"), failed(f"s3://b/{form}.bad", "corrupt", "no")]
        write(
            part_location(output, DIGEST, [ImageRef(row.uri) for row in rows], form),
            encode_rows(rows, form),
        )
    upload = ImageRef("s3://b/upload.jpg", "e1")
    write(upload_location(output, DIGEST, upload), encode_rows([make_row(upload.uri)], "jsonl"))
    ledger = read_ledger(part.uri for part in list_parts(output, DIGEST))
    assert 7 == len(ledger)
    assert upload in ledger
    for form in FORMATS:
        assert ImageRef(f"s3://b/{form}.jpg", "e1") in ledger
        assert ImageRef(f"s3://b/{form}.bad", "e1") in ledger
    assert 0 == len(read_ledger(part.uri for part in list_parts(output, "f" * 64)))


@pytest.mark.parametrize(
    "name", ["part-x.parquet", "part-x.jsonl", "part-x.csv", "part-gone.parquet"]
)
def test_a_part_that_cannot_be_read_stops(memory: str, name: str) -> None:
    """A ledger with a hole would classify twice: an unreadable part is an error, by name."""
    location = parse_location(f"{memory}/out/{name}")
    if "gone" not in name:
        write(location, b"[1]\n")
    with pytest.raises(JobError, match=f"{name} holds no rows of seefood"):
        read_ledger([location.uri])
