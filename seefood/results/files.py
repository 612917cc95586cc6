"""Rows to result objects and back: Parquet, JSON lines or CSV, one object for each chunk.

    DEST/results/digest=<12>/part-<chunk hash>.parquet     written by the bulk job
    DEST/uploads/digest=<12>/<hash of uri and etag>.json   written by the Lambda, one row an object

A part is named by its content (model digest, references, tags), so a retry overwrites the same
object with the same rows.
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from seefood.errors import JobError, SeefoodError, UsageError
from seefood.records import DIGEST_SHOWN, ImageRef, Row, Status
from seefood.storage import open_store
from seefood.storage.uris import Location, parse_location

if TYPE_CHECKING:
    import pyarrow as pa

Format = Literal["parquet", "jsonl", "csv"]
FORMATS: Final[tuple[Format, ...]] = ("parquet", "jsonl", "csv")
RESULTS: Final = "results"
UPLOADS: Final = "uploads"
RUNS: Final = "runs"
_COLUMNS: Final = tuple(field.name for field in fields(Row))
_TEXT_COLUMNS: Final = frozenset({"etag", "version_id", "label", "error_message", "model"})
_KINDS: Final[dict[str, tuple[type, ...]]] = {
    **dict.fromkeys(("uri", "etag", "model", "model_digest", "engine"), (str,)),
    **dict.fromkeys(
        ("version_id", "format", "label", "error_code", "error_message"), (str, type(None))
    ),
    **dict.fromkeys(("width", "height"), (int, type(None))),
    "size_bytes": (int,),
    "score": (int, float, type(None)),
    "classified_at": (datetime,),
}
# A spreadsheet runs a cell that begins with one of these (OWASP, CSV injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_MAX_CELL: Final = 2**31 - 1  # `top` may list every label; Python's default is 128 KiB


def part_location(
    output: Location, digest: str, refs: Sequence[ImageRef], form: Format
) -> Location:
    """Return where the rows of `refs` under the model `digest` belong."""
    identity = hashlib.sha256(digest.encode())
    for ref in refs:
        identity.update(json.dumps([ref.uri, ref.etag, ref.version_id]).encode())
    folder = output.child(f"{RESULTS}/digest={digest[:DIGEST_SHOWN]}")
    return folder.child(f"part-{identity.hexdigest()[:32]}.{form}")


def upload_location(output: Location, digest: str, ref: ImageRef) -> Location:
    """Return where the Lambda puts the row of `ref`: the same place for a duplicate event."""
    identity = hashlib.sha256(json.dumps([ref.uri, ref.etag]).encode()).hexdigest()[:32]
    return output.child(f"{UPLOADS}/digest={digest[:DIGEST_SHOWN]}/{identity}.json")


def encode_rows(rows: Sequence[Row], form: Format) -> bytes:
    """Return `rows` as the bytes of one result object."""
    if form == "parquet":
        return _to_parquet(rows)
    if form == "jsonl":
        return b"".join(encode_json_row(row) for row in rows)
    return _to_csv(rows)


def encode_json_row(row: Row) -> bytes:
    """Return `row` as one line of JSON, UTF-8."""
    line = json.dumps(row.as_json(), ensure_ascii=False, separators=(",", ":"))
    return line.encode("utf-8", "backslashreplace") + b"\n"


def decode_rows(data: bytes, form: str) -> Iterator[Row]:
    """Yield the rows of one result object. Raises `ValueError` or `KeyError` for other content."""
    if form == "parquet":
        import pyarrow.parquet as pq  # noqa: PLC0415 (100 ms, and the Lambda has none)

        for batch in pq.ParquetFile(io.BytesIO(data)).iter_batches(1024):
            yield from map(_row_from_json, batch.to_pylist())
    elif form == "csv":
        yield from _from_csv(data.decode())
    else:
        for line in data.splitlines():
            yield _row_from_json(json.loads(line))


def list_parts(output: Location, digest: str | None = None) -> list[ImageRef]:
    """Return the result objects below `output`, of bulk jobs and uploads, sorted by URI.

    `digest` keeps only one model's. An output where nothing was written yet has none.
    """
    folders = [output.child(f"{kind}/") for kind in (RESULTS, UPLOADS)]
    if digest is not None:
        folders = [folder.child(f"digest={digest[:DIGEST_SHOWN]}/") for folder in folders]
    parts: list[ImageRef] = []
    for folder in folders:
        try:
            parts.extend(open_store(folder.root).list(folder.key))
        except UsageError:
            if not output.is_local:
                raise
    return sorted(
        (part for part in parts if part_format(part.uri) is not None), key=lambda part: part.uri
    )


def part_format(uri: str) -> str | None:
    """Return the format of a result object by its name; None for something else."""
    suffix = uri.rpartition(".")[2]
    return suffix if suffix in {*FORMATS, "json"} else None


def read_rows(output: Location, digest: str | None = None) -> Iterator[Row]:
    """Yield every row below `output`, part by part.

    Raises `JobError` for a part that holds something else.
    """
    for part in list_parts(output, digest):
        location = parse_location(part.uri)
        data = open_store(location.root).read(location.key)
        with reading_part(part.uri):
            yield from decode_rows(data, part_format(part.uri) or "")


@contextmanager
def reading_part(uri: str) -> Iterator[None]:
    """Turn whatever reading the result object `uri` raises into a `JobError` that names it."""
    try:
        yield
    except SeefoodError:
        raise
    except Exception as error:  # Arrow, csv and json raise anything for what is none of theirs
        raise JobError(
            f"{uri} holds no rows of seefood ({error}); move it away and run again"
        ) from error


def arrow_schema() -> "pa.Schema":
    """Return the contract's columns as an Arrow schema."""
    import pyarrow as pa  # noqa: PLC0415 (100 ms, and the Lambda has none)

    top = pa.list_(pa.struct([("label", pa.string()), ("score", pa.float32())]))
    types: dict[str, pa.DataType] = {
        "size_bytes": pa.int64(),
        "width": pa.int32(),
        "height": pa.int32(),
        "score": pa.float32(),
        "top": top,
        "classified_at": pa.timestamp("ms", tz="UTC"),
    }
    required = {"uri", "etag", "size_bytes", "status", "model", "model_digest", "engine"}
    return pa.schema(
        [pa.field(name, types.get(name, pa.string()), name not in required) for name in _COLUMNS]
    )


def _to_parquet(rows: Sequence[Row]) -> bytes:
    import pyarrow as pa  # noqa: PLC0415 (100 ms, and the Lambda has none)
    import pyarrow.parquet as pq  # noqa: PLC0415

    columns: dict[str, list[Any]] = {
        name: [getattr(row, name) for row in rows] for name in _COLUMNS
    }
    columns["status"] = list(map(str, columns["status"]))
    columns["error_message"] = list(map(_encodable, columns["error_message"]))
    columns["top"] = [
        None if top is None else [{"label": label, "score": score} for label, score in top]
        for top in columns["top"]
    ]
    table = pa.table(columns, schema=arrow_schema())
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _encodable(text: str | None) -> str | None:
    """Return `text` with lone surrogates, which a decoder's message may hold, as escapes."""
    return None if text is None else text.encode("utf-8", "backslashreplace").decode()


def _looks_run(text: str | None) -> bool:
    """Whether a spreadsheet would run `text`, or it begins as what was quoted because of that."""
    return text is not None and text.lstrip("'").startswith(_FORMULA)


def _to_csv(rows: Iterable[Row]) -> bytes:
    sink = io.StringIO(newline="")
    writer = csv.writer(sink)
    writer.writerow(_COLUMNS)
    for row in rows:
        record = row.as_json()
        record["top"] = None if row.top is None else json.dumps(record["top"], ensure_ascii=False)
        for name in _TEXT_COLUMNS:
            if _looks_run(record[name]):
                record[name] = f"'{record[name]}"
        writer.writerow(record[name] for name in _COLUMNS)
    return sink.getvalue().encode("utf-8", "backslashreplace")


def _from_csv(text: str) -> Iterator[Row]:
    csv.field_size_limit(_MAX_CELL)
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if not set(_COLUMNS).issubset(reader.fieldnames or ()):
        message = "its columns are others"
        raise ValueError(message)
    try:
        yield from map(_row_from_csv, reader)
    except csv.Error as error:
        raise ValueError(str(error)) from error


def _row_from_json(document: Any) -> Row:
    if not isinstance(document, dict):
        message = "a line is no object"
        raise ValueError(message)  # noqa: TRY004 (the content is wrong, not the call)
    values = {name: document[name] for name in _COLUMNS}
    if values["top"] is not None:
        values["top"] = tuple((item["label"], float(item["score"])) for item in values["top"])
    if isinstance(values["classified_at"], str):
        values["classified_at"] = datetime.fromisoformat(values["classified_at"])
    values["status"] = Status(values["status"])
    for name, kind in _KINDS.items():
        if not isinstance(values[name], kind):
            raise ValueError(f"its {name} is {values[name]!r:.40}")  # noqa: TRY004 (as above)
    if values["classified_at"].tzinfo is None:
        raise ValueError("its classified_at has no time zone")
    return Row(**values)


def _row_from_csv(record: dict[str, str]) -> Row:
    values: dict[str, Any] = {name: record[name] or None for name in _COLUMNS}
    for name in _TEXT_COLUMNS:
        if values[name] and values[name][0] == "'" and _looks_run(values[name]):
            values[name] = values[name][1:]
    for name in ("size_bytes", "width", "height"):
        values[name] = int(values[name]) if values[name] is not None else None
    values["score"] = float(values["score"]) if values["score"] is not None else None
    values["top"] = json.loads(values["top"]) if values["top"] is not None else None
    values["etag"] = values["etag"] or ""
    return _row_from_json(values)
