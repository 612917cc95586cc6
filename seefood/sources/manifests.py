"""Manifests: lists of pictures that somebody else made.

    .txt                  a URI or path a line
    .csv .tsv             a column of URIs, or `bucket,key[,version]` as S3 Batch Operations has it
    .jsonl .ndjson        a string or an object a line
    .parquet              a column of URIs
    manifest.json         S3 Inventory; see `seefood.sources.s3_inventory`

Any of them may be gzipped. Columns named `etag`, `size` and `version_id` are used where they stand
beside the name; what a manifest does not say, the store is asked (one HEAD a picture). A relative
name is meant from where the manifest lies.
"""

import csv
import gzip
import io
import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_plus

from seefood.errors import PictureError, SeefoodError, UsageError
from seefood.records import ImageRef
from seefood.sources.s3_inventory import is_inventory, read_inventory, stated_size
from seefood.storage import open_store
from seefood.storage.uris import Location, parse_location

_URIS: Final = ("uri", "url", "s3_uri", "s3uri", "image_uri", "image_url")
_PATHS: Final = ("image_path", "file_path", "filepath", "path", "image", "filename", "file_name")
NAMES: Final = (*_URIS, *_PATHS, "file", "key", "object_key", "name")
"""Columns that hold a picture's name, the likeliest first."""
_TAGS: Final = ("etag", "e_tag")
_SIZES: Final = ("size_bytes", "size")
_VERSIONS: Final = ("version_id", "versionid")
_ASKERS: Final = 32


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest to read."""

    uri: str
    column: str | None = None
    """Which column holds the pictures' names; guessed if not given."""

    @property
    def text(self) -> str:
        """What messages call it."""
        return f"manifest {self.uri}"


def read_manifest(manifest: Manifest) -> Iterator[ImageRef]:
    """Yield what the manifest lists, in its order, with as much as it says of each picture.

    Raises `UsageError` for a manifest that is absent or holds no names.
    """
    location = parse_location(manifest.uri)
    try:
        data = open_store(location.root).read(location.key)
    except FileNotFoundError as error:
        raise UsageError(f"there is no manifest {manifest.uri}; check the path") from error
    try:
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        if is_inventory(data):
            yield from read_inventory(data, location)
            return
        for number, record in enumerate(_records(data, manifest), start=1):
            yield _ref(record, manifest, location, number)
    except SeefoodError:
        raise
    except Exception as error:  # gzip, csv, json and Arrow raise anything for what is none
        cause = f"it has no {error}" if isinstance(error, KeyError) else error
        raise UsageError(
            f"the manifest {manifest.uri} cannot be read: {cause}; it must be txt, csv, jsonl, "
            "Parquet or an S3 Inventory's manifest.json"
        ) from error


def complete(refs: Iterable[ImageRef]) -> Iterator[ImageRef]:
    """Yield `refs` in order, with tags and sizes; the store is asked for those that lack a tag.

    One that the store does not have comes as it is: reading it will say why in its row.
    """
    waiting: deque[ImageRef | Future[ImageRef]] = deque()
    with ThreadPoolExecutor(_ASKERS, thread_name_prefix="ask") as pool:
        try:
            for ref in refs:
                waiting.append(ref if ref.etag else pool.submit(_asked, ref))
                if len(waiting) >= 8 * _ASKERS:
                    yield _settled(waiting.popleft())
            while waiting:
                yield _settled(waiting.popleft())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _settled(item: ImageRef | Future[ImageRef]) -> ImageRef:
    return item if isinstance(item, ImageRef) else item.result()


def _asked(ref: ImageRef) -> ImageRef:
    try:
        return open_store(parse_location(ref.uri).root).stat(ref)
    except PictureError:
        return ref


def _records(data: bytes, manifest: Manifest) -> Iterator[Mapping[str, Any]]:
    """Yield each line's columns by name; `uri` where there is one column only."""
    suffix = manifest.uri.removesuffix(".gz").rpartition(".")[2].lower()
    if suffix == "parquet" or data[:4] == b"PAR1":
        yield from _parquet_records(data, manifest)
    elif suffix in ("jsonl", "ndjson", "json"):
        for line in data.decode().splitlines():
            if line.strip():
                record = json.loads(line)
                yield record if isinstance(record, dict) else {"uri": record}
    elif suffix in ("csv", "tsv"):
        yield from _csv_records(data.decode("utf-8-sig"), suffix, manifest.column)
    else:
        for line in data.decode("utf-8", "surrogateescape").splitlines():
            if line.strip():
                yield {"uri": line}


def _parquet_records(data: bytes, manifest: Manifest) -> Iterator[Mapping[str, Any]]:
    import pyarrow.parquet as pq  # noqa: PLC0415 (100 ms, and few manifests are of this kind)

    file = pq.ParquetFile(io.BytesIO(data))
    known = {*NAMES, *_TAGS, *_SIZES, *_VERSIONS, "bucket", (manifest.column or "").lower()}
    columns = [name for name in file.schema_arrow.names if name.lower() in known]
    if not columns:
        raise UsageError(_no_column(manifest, file.schema_arrow.names))
    for batch in file.iter_batches(65_536, columns=columns):
        yield from batch.to_pylist()


def _csv_records(text: str, suffix: str, column: str | None) -> Iterator[Mapping[str, Any]]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if suffix == "tsv" else ",")
    first = next(rows, [])
    lowered = [cell.strip().lower() for cell in first]
    if any(cell in (*NAMES, (column or "uri").lower()) for cell in lowered):
        for row in rows:
            if row:
                yield dict(zip(first, row, strict=False))
        return
    if first:
        # No header: names alone, or what S3 Batch Operations reads, whose keys are URL-encoded.
        batch = len(first) in (2, 3) and "/" not in first[0] and "." not in first[0][-5:]
        for row in (first, *rows):
            if batch and len(row) > 1:
                version = row[2] if len(row) > 2 else None
                yield {"bucket": row[0], "key": unquote_plus(row[1]), "version_id": version}
            elif row:
                yield {"uri": row[0]}


def _ref(
    record: Mapping[str, Any], manifest: Manifest, location: Location, number: int
) -> ImageRef:
    values = {str(name).strip().lower(): value for name, value in record.items()}
    names = (manifest.column.lower(),) if manifest.column else NAMES
    name = _first(values, names)
    if not isinstance(name, str) or not name:
        if manifest.column is None and not any(column in values for column in NAMES):
            raise UsageError(_no_column(manifest, list(map(str, record))))
        raise UsageError(f"entry {number} of the manifest {manifest.uri} has no name; remove it")
    bucket = values.get("bucket")
    found = f"s3://{bucket}/{name}" if bucket and "://" not in name else name
    size = _first(values, _SIZES)
    version = _first(values, _VERSIONS)
    return ImageRef(
        _absolute(found, location).uri,
        str(_first(values, _TAGS) or "").strip('"'),
        stated_size(size),
        str(version) if version and version != "null" else None,
    )


def _absolute(name: str, manifest: Location) -> Location:
    if "://" in name or name.startswith(("/", "file:", "~")):
        return parse_location(name)
    folder = Location(manifest.root, manifest.key.rpartition("/")[0])
    beside = folder.child(name.removeprefix("./"))
    return parse_location(beside.key) if beside.is_local else beside


def _first(values: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((values[name] for name in names if values.get(name) not in (None, "")), None)


def _no_column(manifest: Manifest, columns: Iterable[str]) -> str:
    return (
        f"the manifest {manifest.uri} has the columns {', '.join(columns)}, none of which is known "
        "to hold names; say which with `--manifest-column NAME`"
    )
