"""The rows of an output in memory, in columns: some 200 bytes a row, readable while they arrive.

A row's number is its place in the order of arrival and never changes.
"""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from math import isnan
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from seefood.label_sets import set_column, set_labels
from seefood.records import Row, Status
from seefood.results.arrow_numbers import booleans, numbers
from seefood.results.newest import RowKeys, find_replaced

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

COLUMNS: Final = (
    "uri", "etag", "version_id", "size_bytes", "label", "labels", "score", "status", "error_code",
    "error_message", "model", "model_digest", "classified_at",
)  # fmt: skip
_REPEATED: Final = ("label", "status", "error_code", "error_message", "model", "model_digest")
"""Columns with few different values, which are held as codes."""
_AS_ARRAYS: Final = ("score", "classified_at")
"""Columns that are kept as arrays alone."""
STATUSES: Final = tuple(Status)
NO_LABEL: Final = -1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _Codes:
    """Numbers texts in the order of their first appearance."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._codes: dict[str | None, int] = {None: NO_LABEL}

    def encode(self, column: "pa.Array") -> "NDArray[np.int32]":
        """Return the codes of a column of texts; nulls are `NO_LABEL`."""
        encoded = column.dictionary_encode() if not hasattr(column, "dictionary") else column
        codes = np.array([self.add(text) for text in encoded.dictionary.to_pylist()] or [0])
        indices = numbers(encoded.indices, -1)
        return np.where(indices < 0, NO_LABEL, codes[indices]).astype(np.int32)

    def code(self, text: str) -> int | None:
        """Return the number of a text; None if it has not appeared."""
        return self._codes.get(text)

    def add(self, text: str) -> int:
        """Return the number of a text, a new one if it has not appeared."""
        if text not in self._codes:
            self.texts.append(text)
            self._codes[text] = len(self.texts) - 1
        return self._codes[text]


class RowStore:
    """Rows by number. One thread adds, any number of threads read the first `count` rows."""

    def __init__(self) -> None:
        self.count = 0
        self.sets = _Codes()
        """The texts of sets of labels (`seefood.label_sets`): the models' and people's."""
        self.has_several = False
        """Whether a model gave pictures several labels."""
        self.models = _Codes()
        """The digests of the models."""
        self._batches: list[pa.RecordBatch] = []
        self._starts: list[int] = []
        self._newest: tuple[int, NDArray[np.intp]] = 0, np.empty(0, np.intp)
        self._arrays: dict[str, NDArray[Any]] = {
            "score": np.empty(0, np.float32),
            "set": np.empty(0, np.int32),
            "model": np.empty(0, np.int32),
            "status": np.empty(0, np.int8),
            "uris": np.empty(0, np.int64),
            "contents": np.empty(0, np.int64),
            "times": np.empty(0, np.int64),
            "is_transient": np.empty(0, np.bool_),
        }

    def add(self, batch: "pa.RecordBatch") -> None:
        """Add a batch with the columns `COLUMNS`."""
        keys = RowKeys([batch])
        self.has_several = self.has_several or batch["labels"].null_count < batch.num_rows
        for name in _REPEATED:
            at = batch.schema.get_field_index(name)
            batch = batch.set_column(at, name, _small(batch[name].dictionary_encode()))
        statuses = _Codes()
        codes = statuses.encode(batch["status"])
        known = np.array([STATUSES.index(Status(text)) for text in statuses.texts] or [0])
        values = {
            "score": numbers(batch["score"], np.nan),
            "set": self.sets.encode(set_column(batch)),
            "model": self.models.encode(batch["model_digest"]),
            "status": known[codes],
            "uris": keys.uris,
            "contents": keys.contents,
            "times": keys.times,
            "is_transient": keys.is_transient,
        }
        end = self.count + batch.num_rows
        for name, added in values.items():
            if len(self._arrays[name]) < end:  # readers keep the old array
                self._arrays[name] = _grown(self._arrays[name], max(end, 2 * self.count))
            self._arrays[name][self.count : end] = added
        # Times are kept as numbers: Arrow imports pandas to make moments of them.
        kept = [
            name
            for name in batch.schema.names
            if name not in _AS_ARRAYS and batch[name].null_count < batch.num_rows
        ]
        self._batches.append(batch.select(kept))
        self._starts.append(self.count)
        self.count = end

    def column(self, name: str) -> "NDArray[Any]":
        """Return a column of all rows so far.

        `score` (NaN for none), `set` and `model` (codes), `status` (places in `STATUSES`),
        `uris` and `contents` (hashes), `times` (milliseconds since 1970).
        """
        return self._arrays[name][: self.count]

    def labels(self) -> list[str]:
        """Return every label of the sets, each once."""
        sets = map(set_labels, list(self.sets.texts))
        return list(dict.fromkeys(label for labels in sets for label in labels))

    def with_label(self, label: str) -> "NDArray[np.intp]":
        """Return the codes of the sets that have a label."""
        texts = enumerate(list(self.sets.texts))
        return np.array([code for code, text in texts if label in set_labels(text)], np.intp)

    def row(self, number: int) -> Row:
        """Return one row, without its pixels' measures. Raises `KeyError`."""
        batch, at = self._place(number)
        values: dict[str, Any] = dict.fromkeys(COLUMNS)
        values |= {name: batch[name][at].as_py() for name in batch.schema.names}
        score = float(self._arrays["score"][number])
        values["score"] = None if isnan(score) else score
        milliseconds = int(self._arrays["times"][number])
        values["classified_at"] = _EPOCH + timedelta(milliseconds=milliseconds)
        if (labels := values["labels"]) is not None:
            values["labels"] = tuple(labels)
        absent = dict.fromkeys(("width", "height", "format", "top"))
        status = Status(str(values.pop("status")))
        return Row(**{**values, **absent}, status=status, engine="")

    def key(self, number: int) -> tuple[str, str]:
        """Return the URI and the entity tag of a row. Raises `KeyError`."""
        batch, at = self._place(number)
        return batch["uri"][at].as_py(), batch["etag"][at].as_py()

    def numbers(self, keys: "Sequence[tuple[str, str]]") -> "NDArray[np.intp]":
        """Return the rows of pictures by URI and entity tag, ascending."""
        hashes = np.fromiter(map(hash, keys), np.int64, len(keys))
        return np.flatnonzero(np.isin(self.column("contents"), hashes))

    def contains(self, text: str) -> "NDArray[np.bool_]":
        """Return which URIs have `text` in them, or begin with it if it is a URI itself."""
        import pyarrow.compute as pc  # noqa: PLC0415

        match = pc.starts_with if "://" in text else pc.match_substring
        found = [booleans(match(batch["uri"], text)) for batch in self._all()]
        return np.concatenate([np.empty(0, np.bool_), *found])[: self.count]

    def has_error(self, code: str) -> "NDArray[np.bool_]":
        """Return which rows have this error code."""
        import pyarrow.compute as pc  # noqa: PLC0415

        found = [
            booleans(pc.equal(batch["error_code"].cast("string"), code))
            if "error_code" in batch.schema.names
            else np.zeros(batch.num_rows, np.bool_)
            for batch in self._all()
        ]
        return np.concatenate([np.empty(0, np.bool_), *found])[: self.count]

    def newest(self, among: "NDArray[np.intp] | None" = None) -> "NDArray[np.intp]":
        """Return the newest row of each picture, ascending: of all rows, or among some."""
        count, rows = self._newest
        if among is None and count == self.count:
            return rows
        names = ("uris", "contents", "times", "is_transient")
        count = self.count
        columns = {name: self._arrays[name][:count] for name in names}
        if among is not None:
            columns = {name: values[among] for name, values in columns.items()}
        (replaced,) = find_replaced([RowKeys.of(**columns)], by_uri=True)
        rows = np.arange(count) if among is None else among
        newest = np.delete(rows, replaced) if replaced.size else rows
        if among is None:
            self._newest = count, newest
        return newest

    def _all(self) -> "Iterable[pa.RecordBatch]":
        return list(self._batches)

    def _place(self, number: int) -> "tuple[pa.RecordBatch, int]":
        if not 0 <= number < self.count:
            raise KeyError(number)
        at = bisect_right(self._starts, number) - 1
        return self._batches[at], number - self._starts[at]


def _small(column: "pa.DictionaryArray") -> "pa.DictionaryArray":
    """Return the column with indices of one byte, if they fit."""
    import pyarrow as pa  # noqa: PLC0415

    if len(column.dictionary) > np.iinfo(np.int8).max:
        return column
    return pa.DictionaryArray.from_arrays(column.indices.cast(pa.int8()), column.dictionary)


def _grown(array: "NDArray[Any]", size: int) -> "NDArray[Any]":
    grown = np.empty(size, array.dtype)
    grown[: len(array)] = array
    return grown
