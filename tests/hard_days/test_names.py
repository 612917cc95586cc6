"""Names with every byte that a store allows, from the listing to each format of the results."""

import os
import string
from pathlib import Path
from typing import Final

import pytest

from benchmarks.loopback_s3 import BUCKET, serve
from seefood.storage.uris import parse_location
from tests.conftest import Bucket
from tests.hard_days.command import classify, classify_command, finish, rows_once, start
from tests.pictures import jpeg

pytestmark = pytest.mark.beam
_PLAIN: Final = frozenset(string.ascii_letters + string.digits)
# The server of these tests accepts no line break in a key (S3 does); no key has a NUL.
_CHARACTERS: Final = [chr(code) for code in range(1, 256) if chr(code) != "\n"]
_KEYS: Final = [
    f"in/{''.join(_CHARACTERS)}",
    *(f"in/{ord(c):02x}-{c}" for c in _CHARACTERS if c not in _PLAIN and not c.isalpha()),
    "in/" + "x" * 1021,
    "in/🌭\u202e\u0301\uffff\U0010ffff.jpg",
    "in/=cmd|'/c calc'!A1",
    "in/%2e%2e/%00",
]


@pytest.mark.slow
def test_every_key_of_a_bucket_has_its_row(s3: Bucket) -> None:
    """Each key has one row in each format; a rerun finds it; no control character is printed."""
    s3.put_many({key: jpeg((200, number % 256, 30)) for number, key in enumerate(_KEYS)})
    source = f"{s3.uri}/in/"
    for file_format in ("parquet", "csv"):
        output = f"{s3.uri}/{file_format}"
        done = classify(source, output, "--format", file_format)
        assert (0, "") == (done.code, done.err)
        rows = rows_once(output)
        assert sorted(f"{s3.uri}/{key}" for key in _KEYS) == sorted(row.uri for row in rows)
        assert {None} == {row.error_code for row in rows}
        assert [] == [line for line in done.out.splitlines() if not line.isprintable()]
        again = classify(source, output, "--json")
        assert (0, "") == (again.code, again.err)
        assert f'"skipped_by_ledger": {len(_KEYS)}' in again.out


def test_a_key_with_line_breaks_has_its_row(tmp_path: Path) -> None:
    """The same where a store lists such keys without percent encoding."""
    keys = ["in/a\nb.jpg", "in/\n", "in/c\n\n/d.jpg"]
    for key in keys:
        file = tmp_path / "bucket" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(jpeg())
    with serve(tmp_path / "bucket", 0.0) as environment:
        command = classify_command(f"s3://{BUCKET}/in/", tmp_path / "out")
        done = finish(start(command, environment))
    assert (0, "") == (done.code, done.err)
    rows = rows_once(tmp_path / "out")
    assert sorted(f"s3://{BUCKET}/{key}" for key in keys) == sorted(row.uri for row in rows)
    assert {None} == {row.error_code for row in rows}


def test_every_file_name_has_its_row(tmp_path: Path) -> None:
    """The same for file names, which may hold line breaks and bytes that are not UTF-8."""
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
    keys = {os.fsencode(parse_location(row.uri).key).rpartition(b"/")[2] for row in rows}
    assert set(names) == keys
    assert {None} == {row.error_code for row in rows}
