"""Manifests: lists of pictures in a file.

    .txt                  a URI or path a line
    .csv .tsv             a column of URIs, or `bucket,key[,version]` as S3 Batch Operations has it
    .jsonl .ndjson        a string or an object a line
    .parquet              a column of URIs
    manifest.json         S3 Inventory; see `seefood.sources.s3_inventory`

Any of them may be gzipped. Columns named `etag`, `size` and `version_id` are used; where they are
absent, the tag and the size are requested from the store. Relative names start from the manifest's
folder.
"""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_plus

from seefood.errors import SeefoodError, UsageError
from seefood.records import ImageRef
from seefood.sources.s3_inventory import is_inventory, parse_size, read_inventory
from seefood.storage import read
from seefood.storage.uris import Location, parse_location

_URIS: Final = ("uri", "url", "s3_uri", "s3uri", "image_uri", "image_url")
_PATHS: Final = ("image_path", "file_path", "filepath", "path", "image", "filename", "file_name")
NAMES: Final = (*_URIS, *_PATHS, "file", "key", "object_key", "name")
"""Columns that hold a picture's name, the most likely first."""
_TAGS: Final = ("etag", "e_tag")
_SIZES: Final = ("size_bytes", "size")
_VERSIONS: Final = ("version_id", "versionid")


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as a source. See `Source`."""

    name: str
    """As the user gave it."""
    location: Location
    column: str | None = None
    """The column of the pictures' names; None to guess it."""
    is_exact: bool = False

    @property
    def text(self) -> str:
        """See `Source.text`."""
        return f"manifest {self.name}"

    @property
    def empty_message(self) -> str:
        """See `Source.empty_message`."""
        return f"the {self.text} lists no picture; check the file"

    def list(self) -> Iterator[ImageRef]:
        """Yield what the manifest lists, in its order, with as much as it says of each picture.

        Raises `UsageError` for a manifest that is absent or has no names.
        """
        try:
            data = read(self.location)
        except FileNotFoundError as error:
            raise UsageError(f"there is no {self.text}; check the path") from error
        try:
            if data[:2] == b"\x1f\x8b":
                data = gzip.decompress(data)
            if is_inventory(data):
                yield from read_inventory(data, self.location)
                return
            for number, record in enumerate(_records(data, self), start=1):
                yield _ref(record, self, number)
        except SeefoodError:
            raise
        except Exception as error:  # gzip, csv, json and Arrow raise many kinds
            cause = f"it has no {error}" if isinstance(error, KeyError) else error
            raise UsageError(
                f"the {self.text} cannot be read: {cause}; it must be txt, csv, jsonl, "
                "Parquet or an S3 Inventory's manifest.json"
            ) from error


def parse_manifest(text: str, column: str | None = None) -> Manifest:
    """Return the manifest at a path or URI. Raises `UsageError` for a text that is neither."""
    return Manifest(text, parse_location(text), column)


def _records(data: bytes, manifest: Manifest) -> Iterator[Mapping[str, Any]]:
    """Yield the columns of each entry by name; `uri` if there is only one column."""
    suffix = manifest.name.removesuffix(".gz").rpartition(".")[2].lower()
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
    import pyarrow.parquet as pq  # noqa: PLC0415 (100 ms)

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
        # No header: names alone, or the CSV of S3 Batch Operations, whose keys are URL-encoded.
        is_batch = len(first) in (2, 3) and "/" not in first[0] and "." not in first[0][-5:]
        for row in (first, *rows):
            if is_batch and len(row) > 1:
                version = row[2] if len(row) > 2 else None
                yield {"bucket": row[0], "key": unquote_plus(row[1]), "version_id": version}
            elif row:
                yield {"uri": row[0]}


def _ref(record: Mapping[str, Any], manifest: Manifest, number: int) -> ImageRef:
    values = {str(name).strip().lower(): value for name, value in record.items()}
    names = (manifest.column.lower(),) if manifest.column else NAMES
    name = _first(values, names)
    if not isinstance(name, str) or not name:
        if manifest.column is None and not any(column in values for column in NAMES):
            raise UsageError(_no_column(manifest, list(map(str, record))))
        raise UsageError(f"entry {number} of the {manifest.text} has no name; remove it")
    bucket = values.get("bucket")
    name = f"s3://{bucket}/{name}" if bucket and "://" not in name else name
    version = _first(values, _VERSIONS)
    return ImageRef(
        _absolute(name, manifest.location).uri,
        str(_first(values, _TAGS) or "").strip('"'),
        parse_size(_first(values, _SIZES)),
        str(version) if version and version != "null" else None,
    )


def _absolute(name: str, manifest: Location) -> Location:
    if "://" in name or name.startswith(("/", "file:", "~")):
        return parse_location(name)
    folder = Location(manifest.root, manifest.key.rpartition("/")[0])
    location = folder.child(name.removeprefix("./"))
    return parse_location(location.key) if location.is_local else location


def _first(values: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((values[name] for name in names if values.get(name) not in (None, "")), None)


def _no_column(manifest: Manifest, columns: Iterable[str]) -> str:
    return (
        f"the {manifest.text} has the columns {', '.join(columns)}, none of which is known to hold "
        "names; name the column with `--manifest-column NAME`"
    )
