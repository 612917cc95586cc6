"""S3 Inventory: the listing that S3 itself writes every night, read from its `manifest.json`.

CSV, Parquet and ORC inventories, gzipped or not. Of an inventory of versions the latest of each
object is taken, with its version; delete markers are not pictures.
"""

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote_plus

from seefood.errors import UsageError
from seefood.records import ImageRef
from seefood.storage import open_store
from seefood.storage.uris import Location

_LARGEST: Final = 2**63 - 1
_TRUE: Final = frozenset({True, "true", "True", "TRUE"})


def is_inventory(data: bytes) -> bool:
    """Whether `data` is an inventory's `manifest.json`."""
    return data[:1] == b"{" and b'"fileSchema"' in data and b'"sourceBucket"' in data


def read_inventory(data: bytes, location: Location) -> Iterator[ImageRef]:
    """Yield the objects of the inventory whose manifest, `data`, lies at `location`.

    Raises `UsageError` if one of its files is absent or of an unknown format.
    """
    manifest = json.loads(data)
    bucket, form = str(manifest["sourceBucket"]), str(manifest["fileFormat"]).lower()
    columns = [name.strip().lower().replace("_", "") for name in _columns(manifest)]
    for file in manifest["files"]:
        content = _read_file(str(file["key"]), manifest, location)
        for record in _records(content, form, columns):
            if ref := _ref(record, bucket, encoded=form == "csv"):
                yield ref


def _columns(manifest: Mapping[str, Any]) -> list[str]:
    schema = str(manifest["fileSchema"])
    return [] if schema.startswith(("message", "struct")) else schema.split(",")


def _read_file(key: str, manifest: Mapping[str, Any], location: Location) -> bytes:
    """Return one data file: from where the inventory was put, or from beside its manifest."""
    folder = Location(location.root, location.key.rpartition("/")[0])
    name = key.rpartition("/")[2]
    places = [
        folder.child(name),
        Location(folder.root, folder.key.rpartition("/")[0]).child(f"data/{name}"),
    ]
    if not location.is_local:
        bucket = str(manifest.get("destinationBucket", "")).rpartition(":")[2]
        scheme = location.root.partition("://")[0]
        homes = [Location(f"{scheme}://{bucket}", key)] if bucket else []
        places = [*homes, Location(location.root, key), *places]
    for place in places:
        try:
            return open_store(place.root).read(place.key)
        except FileNotFoundError:
            continue
    raise UsageError(
        f"the inventory {location.uri} names the file {key}, which is not at {places[0].uri}; copy "
        "the inventory as a whole"
    )


def _records(data: bytes, form: str, columns: list[str]) -> Iterator[Mapping[str, Any]]:
    """Yield each line's columns, named in lower case without underscores."""
    if form == "csv":
        text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()
        for row in csv.reader(io.StringIO(text, newline="")):
            yield dict(zip(columns, row, strict=False))
        return
    if form == "parquet":
        import pyarrow.parquet as pq  # noqa: PLC0415 (100 ms, and few need it)

        batches = pq.ParquetFile(io.BytesIO(data)).iter_batches(65_536)
    elif form == "orc":
        from pyarrow import orc  # noqa: PLC0415 (as above)

        batches = iter(orc.ORCFile(io.BytesIO(data)).read().to_batches(65_536))
    else:
        raise UsageError(f"an S3 Inventory in the format {form!r} is not known; use CSV or Parquet")
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
    size = stated_size(record.get("size"))
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


def stated_size(told: Any) -> int:
    """Return a size in bytes as a list tells it; 0 where it tells none. Raises `ValueError`."""
    size = int(told or 0)
    if not 0 <= size <= _LARGEST:
        raise ValueError(f"an object of {told} bytes")
    return size


def _seconds(moment: Any) -> float | None:
    if isinstance(moment, datetime):
        return moment.timestamp()
    return datetime.fromisoformat(str(moment)).timestamp() if moment else None
