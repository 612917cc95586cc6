"""Tables of final labels: Parquet, CSV and JSON lines with uri, etag, label, by and score.

If a model gives pictures several labels, there is `labels` as well: a list, in CSV as JSON.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from seefood.corrections.final import By
from seefood.corrections.label_files.base import FinalLabel, LabelFile
from seefood.results.formats.csv import guarded, unguarded

COLUMNS: Final = ("uri", "etag", "label", "by", "score")
_SEVERAL: Final = "labels"


def as_document(label: FinalLabel) -> dict[str, Any]:
    """Return the line of one picture, as `--json` prints it."""
    document = {
        "uri": label.uri,
        "etag": label.etag,
        "label": label.label,
        "by": str(label.by),
        "score": label.score,
    }
    return document if label.labels is None else {**document, _SEVERAL: list(label.labels)}


def text_labels(text: str | None) -> tuple[str, ...] | None:
    """Return the labels of a cell of JSON; None for an empty one. Raises `ValueError`."""
    return _labels(json.loads(text)) if text else None


class ParquetTable(LabelFile):
    """Parquet."""

    name = "parquet"
    suffixes = (".parquet",)

    def encode(self, labels: Iterable[FinalLabel], base: str) -> Mapping[str, bytes]:
        """See `LabelFile.encode`."""
        import pyarrow as pa  # noqa: PLC0415 (100 ms)
        import pyarrow.parquet as pq  # noqa: PLC0415

        del base
        names = (*COLUMNS, _SEVERAL)
        columns: dict[str, list[Any]] = {name: [] for name in names}
        for label in labels:
            document = as_document(label)
            for name in names:
                columns[name].append(document.get(name))
        if not any(each is not None for each in columns[_SEVERAL]):
            del columns[_SEVERAL]
        special = {"score": pa.float32(), _SEVERAL: pa.list_(pa.string())}
        schema = pa.schema([(name, special.get(name, pa.string())) for name in columns])
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
        documents = list(map(as_document, labels))
        has_several = any(_SEVERAL in document for document in documents)
        writer = csv.DictWriter(sink, (*COLUMNS, *((_SEVERAL,) if has_several else ())))
        writer.writeheader()
        for document in documents:
            writer.writerow({name: _cell(value) for name, value in document.items()})
        return {"": sink.getvalue().encode("utf-8", "backslashreplace")}

    def decode(self, files: Mapping[str, bytes]) -> Iterator[FinalLabel]:
        """See `LabelFile.decode`."""
        for cells in csv.DictReader(io.StringIO(files[""].decode("utf-8-sig"), newline="")):
            several = text_labels(cells.pop(_SEVERAL, None))
            texts = {name: unguarded(text) for name, text in cells.items() if text}
            yield _label({**texts, _SEVERAL: several})


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return guarded(value) if isinstance(value, str) else value


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
    by = By(document.get("by") or By.PERSON)
    several = _labels(document.get(_SEVERAL))
    return FinalLabel(uri, etag, label, by, labels=several)


def _labels(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    is_list = isinstance(value, (list, tuple)) and all(isinstance(each, str) for each in value)
    if not is_list:
        raise ValueError(f"its labels are {value!r:.40}")
    return tuple(value)
