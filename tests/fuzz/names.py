"""Arguments of one word: sources, globs, times, shards; and their text on a terminal."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from seefood.errors import UsageError
from seefood.records import ImageRef
from seefood.results.files import part_location, upload_location
from seefood.runs.sharding import Shard, parse_shard
from seefood.sanitize import printable
from seefood.sources.filters import Selection, parse_since
from seefood.sources.registry import parse_source
from seefood.storage.s3_store import is_expressible
from seefood.storage.uris import compile_glob, parse_location
from tests.fuzz.target import Target

_NOW: Final = datetime(2026, 11, 23, tzinfo=UTC)
_OUT: Final = parse_location("memory://fuzz-names/out")


def _name(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    if "\0" in text:  # no argument or file name has one
        return
    for read in (_location, _source, _glob, _since, _shard):
        try:
            read(text)
        except UsageError:
            continue
    assert printable(text).isprintable()
    is_expressible(text)


def _location(text: str) -> None:
    location = parse_location(text)
    assert location == parse_location(location.uri)
    ref = ImageRef(location.uri, text)
    assert part_location(_OUT, "0" * 64, [ref], "csv")
    assert upload_location(_OUT, "0" * 64, ref)
    assert ref in Shard(0, 1)


def _source(text: str) -> None:
    parse_source(f"memory://fuzz-names/{text}")


def _glob(text: str) -> None:
    selection = Selection(include=(text[:40],), exclude=(f"no{text[:20]}",), sample=0.5)
    selection.has_name("s3://bucket/some/folder/and a picture.jpg")
    compile_glob(text[:40]).fullmatch("some/folder/and a picture.jpg")


def _since(text: str) -> None:
    parse_since(text, _NOW)


def _shard(text: str) -> None:
    parse_shard(text, {"AWS_BATCH_JOB_ARRAY_INDEX": text, "AWS_BATCH_JOB_ARRAY_SIZE": "4"})
    parse_shard("batch", {"AWS_BATCH_JOB_ARRAY_INDEX": text, "AWS_BATCH_JOB_ARRAY_SIZE": text})


def _seeds() -> Sequence[bytes]:
    texts = (
        "s3://bucket/a b/c.jpg", "file:///a%20b", "~/Pictures", "**/*.jp[e]g", "[!a-z]?*",
        "2026-11-23T16:00Z", "36h", "0/4", "batch", "gs://b", "a\x1b[31m\u202e", "éß🌭",
    )  # fmt: skip
    return [text.encode() for text in texts]


TARGETS: Final = (Target("name", _name, _seeds, 200),)
