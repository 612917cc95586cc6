"""A format that is added through the public registry alone works everywhere."""

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest

from seefood.records import ImageRef, Row, utc_now
from seefood.results.columns import row_from_json
from seefood.results.compaction import compact
from seefood.results.deduplicate import deduplicate
from seefood.results.files import encode_rows, list_parts, part_location, read_rows
from seefood.results.formats import ResultFormat, format_names, register_format, result_format
from seefood.results.ledger import read_ledger
from seefood.storage import write
from seefood.storage.uris import parse_location
from tests.fakes import DIGEST, failed, make_row

_NOW = utc_now()


class Arrays(ResultFormat):
    """A JSON array of rows: only the two methods that a format must have."""

    name = "arrays"

    def encode(self, rows: Sequence[Row]) -> bytes:
        """See `ResultFormat.encode`."""
        return json.dumps([row.as_json() for row in rows]).encode()

    def decode(self, data: bytes) -> Iterator[Row]:
        """See `ResultFormat.decode`."""
        yield from map(row_from_json, json.loads(data))


@pytest.fixture(scope="session", autouse=True)
def _registered() -> None:
    """Register the format once for this process."""
    register_format(Arrays())


def _put(root: str, rows: Sequence[Row]) -> None:
    refs = [ImageRef(row.uri, row.etag) for row in rows]
    location = part_location(parse_location(root), DIGEST, refs, "arrays")
    write(location, encode_rows(rows, "arrays"))


def test_its_rows_round_trip() -> None:
    """It is one of the formats, and decodes what it encoded."""
    assert "arrays" == format_names()[-1]
    rows = [make_row(classified_at=_NOW), failed("s3://b/bad.jpg", "corrupt", "x")]
    toy = result_format("arrays")
    assert rows == list(toy.decode(toy.encode(rows)))


def test_its_rows_are_listed_counted_replaced_and_merged(memory: str) -> None:
    """The ledger, deduplication and compaction read and write it."""
    output = parse_location(memory)
    names = [f"s3://b/{number}" for number in range(4)]
    old = _NOW - timedelta(days=1)
    _put(memory, [make_row(name, classified_at=old) for name in names[:3]])
    _put(memory, [make_row(name, classified_at=_NOW) for name in names[2:]])
    parts = [part.uri for part in list_parts(output)]
    assert [".arrays"] * 2 == [uri[-7:] for uri in parts]
    ledger = read_ledger(parts)
    assert (4, 1) == (len(ledger), ledger.duplicates)
    assert 1 == deduplicate(output, DIGEST)
    rows = {row.uri: row.classified_at for row in read_rows(output)}
    assert {names[0]: old, names[1]: old, names[2]: _NOW, names[3]: _NOW} == rows
    assert 1 == compact(output, DIGEST).after
    assert [".arrays"] == [part.uri[-7:] for part in list_parts(output)]
    assert rows == {row.uri: row.classified_at for row in read_rows(output)}
