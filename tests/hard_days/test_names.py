"""Names of every byte that a store allows, from the listing to every format of the results."""

import os
from pathlib import Path

import pytest

from benchmarks.loopback_s3 import BUCKET, serve
from seefood.storage.uris import parse_location
from tests.conftest import Bucket
from tests.hard_days.command import classify, finish, rows_once, start, words
from tests.pictures import jpeg

pytestmark = pytest.mark.beam
# The server of these tests takes no line break in a key (real S3 does); a key has no NUL.
_CHARACTERS = [chr(code) for code in range(1, 256) if chr(code) != "\n"]
_EVERY = "".join(_CHARACTERS)
_KEYS = [
    f"in/{_EVERY}",
    *(f"in/{ord(character):02x}-{character}" for character in _CHARACTERS),
    "in/" + "x" * 1021,
    "in/🌭\u202e\u0301\uffff\U0010ffff.jpg",
    "in/=cmd|'/c calc'!A1",
    "in/%2e%2e/%00",
]


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_any_key_of_a_bucket_has_its_row(form: str, s3: Bucket) -> None:
    """Name for name, once; a second run finds them all; the terminal gets no control character."""
    for number, key in enumerate(_KEYS):
        s3.put(key, jpeg((200, number % 256, 30)))
    place = f"{s3.uri}/out"
    done = classify(f"{s3.uri}/in/", place, "--format", form)
    assert (0, "") == (done.code, done.err)
    rows = rows_once(place)
    assert sorted(f"{s3.uri}/{key}" for key in _KEYS) == sorted(row.uri for row in rows)
    assert {None} == {row.error_code for row in rows}
    assert [] == [line for line in done.out.splitlines() if not line.isprintable()]
    again = classify(f"{s3.uri}/in/", place, "--json")
    assert (0, "") == (again.code, again.err)
    assert f'"skipped_by_ledger": {len(_KEYS)}' in again.out


def test_a_key_with_line_breaks_has_its_row(tmp_path: Path) -> None:
    """The same where a store lists such keys as they are, without percent signs."""
    keys = ["in/a\nb.jpg", "in/\n", "in/c\n\n/d.jpg"]
    for key in keys:
        file = tmp_path / "bucket" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(jpeg())
    with serve(tmp_path / "bucket", 0.0) as environment:
        command = words(f"s3://{BUCKET}/in/", tmp_path / "out")
        done = finish(start(command, environment))
    assert (0, "") == (done.code, done.err)
    rows = rows_once(tmp_path / "out")
    assert sorted(f"s3://{BUCKET}/{key}" for key in keys) == sorted(row.uri for row in rows)
    assert {None} == {row.error_code for row in rows}


def test_any_file_name_has_its_row(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 and line breaks, too; the report page is written."""
    folder = os.fsencode(tmp_path / "in")
    os.mkdir(folder)  # noqa: PTH102 (a path of bytes)
    names = [b"%02x-" % byte + bytes([byte]) for byte in range(1, 256) if byte != ord("/")]
    names.append(bytes(byte for byte in range(1, 255) if byte != ord("/")))
    for name in names:
        with open(folder + b"/" + name, "wb") as stream:  # noqa: PTH123 (as above)
            stream.write(jpeg())
    done = classify(tmp_path / "in", tmp_path / "out")
    assert (0, "") == (done.code, done.err)
    rows = rows_once(tmp_path / "out")
    found = {os.fsencode(parse_location(row.uri).key).rpartition(b"/")[2] for row in rows}
    assert set(names) == found
    assert {None} == {row.error_code for row in rows}
