"""Finds the rows that newer rows replace, in about 40 bytes a row.

Of the rows of one picture (URI and entity tag) the one with the latest `classified_at` counts. A
transient failure is older than any other row, whatever its time: clocks jump, and the ledger would
try the picture again on every run. Of several contents of one URI the latest counts, on request.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from seefood.results.arrow_numbers import numbers
from seefood.results.ledger import TRANSIENT

if TYPE_CHECKING:
    from datetime import datetime

    import pyarrow as pa
    from numpy.typing import NDArray

    from seefood.records import Row

_T = TypeVar("_T", bound=np.generic)
KEY_COLUMNS: Final = ("uri", "etag", "classified_at", "error_code")
"""The columns that `RowKeys` reads."""


class RowKeys:
    """The keys and times of the rows of one result object, in their order."""

    def __init__(self, batches: "Iterable[pa.RecordBatch]") -> None:
        """`batches` have the columns `KEY_COLUMNS`."""
        batches = list(batches)
        self.uris = _joined((_hashes(batch, ("uri",)) for batch in batches), np.int64)
        self.contents = _joined((_hashes(batch, ("uri", "etag")) for batch in batches), np.int64)
        self.times = _joined(map(_milliseconds, batches), np.int64)
        self.is_transient = _joined(map(_is_transient, batches), np.bool_)

    @classmethod
    def of(cls, **columns: "NDArray[Any]") -> "RowKeys":
        """Return the keys with these columns: `uris`, `contents`, `times`, `is_transient`."""
        keys = cls(())
        for name, values in columns.items():
            setattr(keys, name, values)
        return keys

    def __len__(self) -> int:
        return int(self.times.size)


def precedence(row: "Row") -> "tuple[bool, datetime]":
    """Return what decides between rows of one picture: the one with the largest counts."""
    return row.error_code not in TRANSIENT, row.classified_at


def find_replaced(parts: Sequence[RowKeys], *, by_uri: bool = False) -> "list[NDArray[np.int64]]":
    """Return the positions of the replaced rows of each part, ascending.

    With `by_uri` also those of contents that were replaced at the same URI. The last of equal rows
    stays: parts and positions decide between equal times, so that every reader decides alike.
    """
    if not parts:
        return []
    sizes = [len(part) for part in parts]
    ends = np.cumsum(sizes)
    uris = np.concatenate([part.uris for part in parts])
    in_order = np.sort(uris)
    if not np.any(in_order[1:] == in_order[:-1]):  # most often; a tenth of the time of the rest
        return [np.empty(0, np.int64)] * len(parts)
    del in_order
    contents = np.concatenate([part.contents for part in parts])
    times = np.concatenate([part.times for part in parts])
    is_lasting = ~np.concatenate([part.is_transient for part in parts])
    replaced = np.zeros(contents.size, dtype=np.bool_)
    order = np.lexsort((times, is_lasting, contents, uris))  # stable: the position decides last
    _mark_all_but_last(replaced, order, (uris, contents))
    if by_uri:
        kept = np.flatnonzero(~replaced)
        _mark_all_but_last(replaced, kept[np.lexsort((times[kept], uris[kept]))], (uris,))
    return [
        np.flatnonzero(replaced[end - size : end]) for size, end in zip(sizes, ends, strict=True)
    ]


def _mark_all_but_last(
    marks: "NDArray[np.bool_]", order: "NDArray[np.intp]", keys: "Sequence[NDArray[np.int64]]"
) -> None:
    """Mark every row of `order` that another row with the same keys follows."""
    is_same = np.logical_and.reduce([key[order[1:]] == key[order[:-1]] for key in keys])
    marks[order[:-1][is_same]] = True


def _hashes(batch: "pa.RecordBatch", names: Sequence[str]) -> "NDArray[np.int64]":
    """Return 64-bit hashes of columns, the same in one process only.

    Python keys them at random, so nobody can choose names that collide.
    """
    columns = [batch.column(name).to_pylist() for name in names]
    return np.fromiter(map(hash, zip(*columns, strict=True)), np.int64, batch.num_rows)


def _milliseconds(batch: "pa.RecordBatch") -> "NDArray[np.int64]":
    return numbers(batch.column("classified_at"))


def _is_transient(batch: "pa.RecordBatch") -> "NDArray[np.bool_]":
    codes = batch.column("error_code")
    if codes.null_count == len(codes):
        return np.zeros(len(codes), dtype=np.bool_)
    return np.fromiter((code in TRANSIENT for code in codes.to_pylist()), np.bool_, len(codes))


def _joined(arrays: "Iterable[NDArray[_T]]", kind: type[_T]) -> "NDArray[_T]":
    return np.concatenate([np.empty(0, dtype=kind), *arrays])
