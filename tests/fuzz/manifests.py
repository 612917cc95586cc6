"""Manifests, and the files of an S3 Inventory."""

import gzip
import io
import json
from collections.abc import Sequence
from itertools import islice
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import orc

from seefood.errors import JobError, UsageError
from seefood.records import ImageRef
from seefood.sources.manifests import Manifest, parse_manifest
from seefood.storage import write
from seefood.storage.uris import parse_location
from tests.fuzz.target import Target

_ROOT: Final = "memory://fuzz-manifests"
_SUFFIXES: Final = ("txt", "csv", "tsv", "jsonl", "parquet", "json", "txt.gz")
_FORMATS: Final = ("CSV", "Parquet", "ORC", "Avro")
_MAX_ENTRIES: Final = 1000
_TABLE: Final = {
    "bucket": ["b", "b"],
    "key": ["a.jpg", "c%20d.jpg"],
    "size": [10, 20],
    "last_modified_date": ["2026-11-23T00:00:00.000Z"] * 2,
    "etag": ["0" * 32, "1" * 32],
    "version_id": ["v1", None],
}
_SCHEMA: Final = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag"


def _read(manifest: Manifest) -> None:
    try:
        for ref in islice(manifest.list(), _MAX_ENTRIES):
            assert isinstance(ref, ImageRef)
            assert isinstance(ref.size_bytes, int)
            assert parse_location(ref.uri).root
    except (UsageError, JobError):
        return


def _manifest(data: bytes) -> None:
    """The first byte chooses the file's suffix, the second whether a column is given."""
    suffix = _SUFFIXES[data[0] % len(_SUFFIXES)] if data else "txt"
    uri = f"{_ROOT}/list.{suffix}"
    write(parse_location(uri), data[2:])
    _read(parse_manifest(uri, "key" if data[1:2] > b"\xf0" else None))


def _inventory(data: bytes) -> None:
    """The first byte chooses the format that the manifest states; the rest is its one file."""
    file_format = _FORMATS[data[0] % len(_FORMATS)] if data else "CSV"
    folder = f"{_ROOT}/inventory/2026-11-23T00-00Z"
    write(parse_location(f"{_ROOT}/inventory/data/one"), data[1:])
    write(parse_location(f"{folder}/manifest.json"), _inventory_manifest(file_format))
    _read(parse_manifest(f"{folder}/manifest.json"))


def _inventory_manifest(file_format: str) -> bytes:
    document = {
        "sourceBucket": "photos",
        "destinationBucket": "arn:aws:s3:::fuzz-manifests",
        "fileFormat": file_format,
        "fileSchema": _SCHEMA,
        "files": [{"key": "inventory/data/one", "size": 1, "MD5checksum": "0" * 32}],
    }
    return json.dumps(document).encode()


def _parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(_TABLE), sink)
    return sink.getvalue()


def _orc() -> bytes:
    sink = io.BytesIO()
    orc.write_table(pa.table(_TABLE), sink)
    return sink.getvalue()


def _manifest_seeds() -> Sequence[bytes]:
    line = json.dumps({"uri": "s3://b/a.jpg", "etag": "x", "size": 3}).encode()
    return [
        b"\0\0s3://b/a.jpg\n/tmp/b.jpg\nfile:///c%20d.jpg\n",
        b"\1\0uri,etag,size\ns3://b/a.jpg,x,3\n",
        b"\1\0bucket-1,a%20b.jpg,v1\nbucket-1,c.jpg\n",
        b"\2\xffbucket\tkey\nb\tc.jpg\n",
        b"\3\0" + line + b'\n"s3://b/c.jpg"\n',
        b"\4\0" + _parquet(),
        b"\5\0" + _inventory_manifest("CSV"),
        b"\6\0" + gzip.compress(b"s3://b/a.jpg\n"),
    ]


def _inventory_seeds() -> Sequence[bytes]:
    line = b'"photos","a%20b.jpg","v1","true","false","3","2026-11-23T00:00:00.000Z","x"\n'
    return [b"\0" + line, b"\0" + gzip.compress(line), b"\1" + _parquet(), b"\2" + _orc()]


TARGETS: Final = (
    Target("manifest", _manifest, _manifest_seeds),
    Target("inventory", _inventory, _inventory_seeds),
)
