"""Tables of final labels: Parquet, CSV and JSON lines with uri, etag, label, by and score."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from seefood.corrections.final import By
from seefood.corrections.label_files.base import FinalLabel, LabelFile
from seefood.results.formats.csv import guarded, unguarded

COLUMNS: Final = ("uri", "etag", "label", "by", "score")


def as_document(label: FinalLabel) -> dict[str, Any]:
    """Return the line of one picture, as `--json` prints it."""
    return {
        "uri": label.uri,
        "etag": label.etag,
        "label": label.label,
        "by": str(label.by),
        "score": label.score,
    }


class ParquetTable(LabelFile):
    """Parquet."""

    name = "parquet"
    suffixes = (".parquet",)

    def encode(self, labels: Iterable[FinalLabel], base: str) -> Mapping[str, bytes]:
        """See `LabelFile.encode`."""
        import pyarrow as pa  # noqa: PLC0415 (100 ms)
        import pyarrow.parquet as pq  # noqa: PLC0415

        del base
        columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
        for label in labels:
            for name, value in as_document(label).items():
                columns[name].append(value)
        types = [pa.float32() if name == "score" else pa.string() for name in COLUMNS]
        schema = pa.schema(list(zip(COLUMNS, types, strict=True)))
        sink = io.BytesIO()
        pq.write_table(pa.table(columns, schema=schema), sink, compression="zstd")
        return {"": sink.getvalue()}

    def decode(self, files: Mapping[str, bytes]) -> Iterator[FinalLabel]:
        """See `LabelFile.decode`."""
        import pyarrow.parquet as pq  # noqa: PLC0415

        for batch in pq.ParquetFile(io.BytesIO(files[""])).iter_batches():
            yield from map(_label, batch.to_pylist())


class JsonLinesTable(LabelFile):
    """JSON lines."""

    name = "jsonl"
    suffixes = (".jsonl", ".ndjson")

    def encode(self, labels: Iterable[FinalLabel], base: str) -> Mapping[str, bytes]:
        """See `LabelFile.encode`."""
        del base
        lines = (json.dumps(as_document(label), ensure_ascii=False) for label in labels)
        return {"": "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")}

    def decode(self, files: Mapping[str, bytes]) -> Iterator[FinalLabel]:
        """See `LabelFile.decode`."""
        return (_label(json.loads(line)) for line in files[""].splitlines() if line.strip())


class CsvTable(LabelFile):
    """CSV with a header line, safe to open in a spreadsheet."""

    name = "csv"
    suffixes = (".csv",)

    def encode(self, labels: Iterable[FinalLabel], base: str) -> Mapping[str, bytes]:
        """See `LabelFile.encode`."""
        del base
        sink = io.StringIO(newline="")
        writer = csv.DictWriter(sink, COLUMNS)
        writer.writeheader()
        for label in labels:
            document = as_document(label)
            writer.writerow(
                {
                    name: guarded(value) if isinstance(value, str) else value
                    for name, value in document.items()
                }
            )
        return {"": sink.getvalue().encode("utf-8", "backslashreplace")}

    def decode(self, files: Mapping[str, bytes]) -> Iterator[FinalLabel]:
        """See `LabelFile.decode`."""
        for cells in csv.DictReader(io.StringIO(files[""].decode("utf-8-sig"), newline="")):
            yield _label({name: unguarded(text) for name, text in cells.items() if text})


def _label(document: Any) -> FinalLabel:
    """Return the label of one line; `picture` and `label` are required, the rest is optional."""
    if not isinstance(document, dict):
        raise ValueError("a line is not an object")  # noqa: TRY004 (the content is wrong)
    uri = document.get("uri") or document.get("picture")
    if not isinstance(uri, str):
        raise ValueError("a line has no uri")  # noqa: TRY004 (as above)
    label, etag = document.get("label"), document.get("etag")
    if not all(isinstance(value, str | None) for value in (label, etag)):
        raise ValueError(f"the label of {uri} is {label!r:.40}")
    return FinalLabel(uri, etag, label, By(document.get("by") or By.PERSON))
