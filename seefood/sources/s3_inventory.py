"""S3 Inventory: the listing that S3 writes every night, read from its `manifest.json`.

CSV, Parquet and ORC inventories, gzipped or not. An inventory of versions yields the latest version
of each object, and no delete markers.
"""

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote_plus

from seefood.errors import ErrorCode, PictureError, UsageError
from seefood.records import ImageRef
from seefood.sources.sizes import parse_size
from seefood.storage import open_store, read
from seefood.storage.uris import Location

_FORMATS: Final = ("csv", "parquet", "orc")
_TRUE: Final = frozenset({True, "true", "True", "TRUE"})


def is_inventory(data: bytes) -> bool:
    """Whether `data` is an inventory's `manifest.json`."""
    return data[:1] == b"{" and b'"fileSchema"' in data and b'"sourceBucket"' in data


def read_inventory(data: bytes, location: Location) -> Iterator[ImageRef]:
    """Yield the objects of the inventory whose manifest `data` is at `location`.

    Raises `UsageError` if one of its files is absent or of an unknown format.
    """
    manifest = json.loads(data)
    bucket, file_format = str(manifest["sourceBucket"]), str(manifest["fileFormat"]).lower()
    columns = [name.strip().lower().replace("_", "") for name in _columns(manifest)]
    for file in manifest["files"]:
        content = read(_find_file(str(file["key"]), manifest, location))
        for record in _records(content, file_format, columns):
            if ref := _ref(record, bucket, encoded=file_format == "csv"):
                yield ref


def check_inventory(data: bytes, location: Location) -> None:
    """Raise `UsageError` if a file of the inventory is absent or of an unknown format.

    Reads only the beginning of each: S3 wrote them and gives a checksum of each.
    """
    manifest = json.loads(data)
    file_format = str(manifest["fileFormat"]).lower()
    if file_format not in _FORMATS:
        raise UsageError(_unknown(file_format))
    for file in manifest["files"]:
        _find_file(str(file["key"]), manifest, location)


def _columns(manifest: Mapping[str, Any]) -> list[str]:
    schema = str(manifest["fileSchema"])
    return [] if schema.startswith(("message", "struct")) else schema.split(",")


def _find_file(key: str, manifest: Mapping[str, Any], location: Location) -> Location:
    """Return where a data file is: in the destination bucket, or beside the manifest."""
    folder = Location(location.root, location.key.rpartition("/")[0])
    name = key.rpartition("/")[2]
    candidates = [
        folder.child(name),
        Location(folder.root, folder.key.rpartition("/")[0]).child(f"data/{name}"),
    ]
    if not location.is_local:
        bucket = str(manifest.get("destinationBucket", "")).rpartition(":")[2]
        scheme = location.root.partition("://")[0]
        destination = [Location(f"{scheme}://{bucket}", key)] if bucket else []
        candidates = [*destination, Location(location.root, key), *candidates]
    for candidate in candidates:
        try:
            open_store(candidate.root).stat(ImageRef(candidate.uri))
        except PictureError as error:
            if error.code != ErrorCode.NOT_FOUND:
                raise UsageError(f"cannot read {candidate.uri}: {error}") from error
        else:
            return candidate
    raise UsageError(
        f"the inventory {location.uri} names the file {key}, which is not at {candidates[0].uri}; "
        "copy the inventory as a whole"
    )


def _records(data: bytes, file_format: str, columns: list[str]) -> Iterator[Mapping[str, Any]]:
    """Yield the columns of each entry; names are in lower case without underscores."""
    if file_format == "csv":
        text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()
        for row in csv.reader(io.StringIO(text, newline="")):
            yield dict(zip(columns, row, strict=False))
        return
    if file_format == "parquet":
        import pyarrow.parquet as pq  # noqa: PLC0415 (100 ms)

        batches = pq.ParquetFile(io.BytesIO(data)).iter_batches(65_536)
    elif file_format == "orc":
        from pyarrow import orc  # noqa: PLC0415

        batches = iter(orc.ORCFile(io.BytesIO(data)).read().to_batches(65_536))
    else:
        raise UsageError(_unknown(file_format))
    for batch in batches:
        for row in batch.to_pylist():
            yield {str(name).lower().replace("_", ""): value for name, value in row.items()}


def _ref(record: Mapping[str, Any], bucket: str, *, encoded: bool) -> ImageRef | None:
    if record.get("isdeletemarker") in _TRUE:
        return None
    if record.get("islatest") not in (None, "", *_TRUE):
        return None
    key = str(record["key"])
    if encoded:
        key = unquote_plus(key)
    size = parse_size(record.get("size"))
    if key.endswith("/") and not size:
        return None
    version = record.get("versionid")
    return ImageRef(
        Location(f"s3://{record.get('bucket') or bucket}", key).uri,
        str(record.get("etag") or "").strip('"'),
        size,
        str(version) if version and version != "null" else None,
        _seconds(record.get("lastmodifieddate")),
    )


def _unknown(file_format: str) -> str:
    return f"an S3 Inventory in the format {file_format!r} cannot be read; use CSV, Parquet or ORC"


def _seconds(moment: Any) -> float | None:
    if isinstance(moment, datetime):
        return moment.timestamp()
    return datetime.fromisoformat(str(moment)).timestamp() if moment else None
