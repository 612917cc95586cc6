import csv
import gzip
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote_plus

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seefood.errors import UsageError
from seefood.records import ImageRef
from seefood.sources.manifests import parse_manifest
from tests.conftest import Bucket

_WHEN = "2026-11-22T01:02:03.000Z"
_SCHEMA = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag"
# Key, version, latest, delete marker, size, tag.
_OBJECTS: list[tuple[str, str, bool, bool, int, str]] = [
    ("a b+c.jpg", "v2", True, False, 7, "e2"),
    ("a b+c.jpg", "v1", False, False, 6, "e1"),
    ("gone.jpg", "v3", True, True, 0, ""),
    ("ü/x.jpg", "", True, False, 8, "e4-2"),
    ("folder/", "", True, False, 0, "e5"),
]


def _csv_file() -> bytes:
    sink = io.StringIO(newline="")
    writer = csv.writer(sink, quoting=csv.QUOTE_ALL)
    for key, version, latest, marker, size, tag in _OBJECTS:
        flags = [str(latest).lower(), str(marker).lower()]
        writer.writerow(["src", quote_plus(key, safe="/"), version, *flags, size, _WHEN, tag])
    return gzip.compress(sink.getvalue().encode())


def _parquet_file() -> bytes:
    keys, versions, latest, markers, sizes, tags = map(list, zip(*_OBJECTS, strict=True))
    table = pa.table(
        {
            "bucket": ["src"] * len(keys),
            "key": keys,
            "version_id": versions,
            "is_latest": latest,
            "is_delete_marker": markers,
            "size": sizes,
            "last_modified_date": [datetime.fromisoformat(_WHEN)] * len(keys),
            "e_tag": tags,
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def _manifest(file_format: str, name: str, destination: str = "dest") -> bytes:
    return json.dumps(
        {
            "sourceBucket": "src",
            "destinationBucket": f"arn:aws:s3:::{destination}",
            "version": "2016-11-30",
            "fileFormat": file_format,
            "fileSchema": _SCHEMA
            if file_format == "CSV"
            else "message s3.inventory { required ... }",
            "files": [{"key": f"inventory/src/all/data/{name}", "size": 1, "MD5checksum": "x"}],
        }
    ).encode()


_EXPECTED = [
    ImageRef("s3://src/a b+c.jpg", "e2", 7, "v2"),
    ImageRef("s3://src/ü/x.jpg", "e4-2", 8, None),
]
_FILES = {"CSV": ("d.csv.gz", _csv_file), "Parquet": ("d.parquet", _parquet_file)}


@pytest.mark.parametrize("file_format", _FILES)
def test_a_copied_inventory_lists_the_latest_versions(file_format: str, tmp_path: Path) -> None:
    """Old versions, delete markers and folder markers are no pictures; keys are decoded."""
    name, make = _FILES[file_format]
    (tmp_path / "data").mkdir()
    (tmp_path / "2026-11-22T01-00Z").mkdir()
    (tmp_path / "data" / name).write_bytes(make())
    manifest = tmp_path / "2026-11-22T01-00Z" / "manifest.json"
    manifest.write_bytes(_manifest(file_format, name))
    refs = list(parse_manifest(str(manifest)).list())
    assert _EXPECTED == refs
    assert datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC).timestamp() == refs[0].modified


@pytest.mark.parametrize("file_format", _FILES)
def test_an_inventory_is_read_where_s3_put_it(file_format: str, s3: Bucket) -> None:
    """The data files are in the destination bucket, under the keys that the manifest names."""
    name, make = _FILES[file_format]
    s3.put(f"inventory/src/all/data/{name}", make())
    s3.put(
        "inventory/src/all/2026-11-22T01-00Z/manifest.json", _manifest(file_format, name, s3.name)
    )
    uri = f"{s3.uri}/inventory/src/all/2026-11-22T01-00Z/manifest.json"
    assert _EXPECTED == list(parse_manifest(uri).list())


def test_a_missing_data_file_stops_the_job(tmp_path: Path) -> None:
    """A part of an inventory is not read as if it were the whole."""
    (tmp_path / "manifest.json").write_bytes(_manifest("CSV", "d.csv.gz"))
    with pytest.raises(UsageError, match=r"names the file .*d\.csv\.gz, which is not at"):
        list(parse_manifest(str(tmp_path / "manifest.json")).list())
