"""The base class of result formats."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Final

from seefood.records import Row
from seefood.results.arrow import batch_of

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS: Final = 8192
"""The most rows of a record batch that is read."""


class ResultFormat(ABC):
    """How rows become the bytes of a result object; one registered instance for each format.

    `encode` and `decode` are required. The other methods are made of these two; a format overrides
    those that it can do faster. All methods that read raise `ValueError`, `KeyError` or an error of
    the format's library for bytes that hold something else.
    """

    name: ClassVar[str]
    """What `--format` takes, and the suffix of the objects that are written."""
    other_suffixes: ClassVar[tuple[str, ...]] = ()
    """Further suffixes of objects that are read in this format."""

    @abstractmethod
    def encode(self, rows: Sequence[Row]) -> bytes:
        """Return `rows` as the bytes of one result object."""

    @abstractmethod
    def decode(self, data: bytes) -> Iterator[Row]:
        """Yield the rows of one result object, in order."""

    def read_columns(self, data: bytes, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Yield the values of the columns `names` of each row, in order; times as `datetime`."""
        for row in self.decode(data):
            yield tuple(getattr(row, name) for name in names)

    def read_batches(self, data: bytes, names: Sequence[str]) -> "Iterator[pa.RecordBatch]":
        """Yield the columns `names` of the rows, in order, as batches of `BATCH_ROWS` rows."""
        for rows in _batched(self.decode(data), BATCH_ROWS):
            yield batch_of(rows, names)

    def count(self, data: bytes) -> int:
        """Return how many rows one result object has."""
        return sum(1 for _ in self.decode(data))

    def merge(self, parts: Sequence[bytes]) -> bytes:
        """Return one result object with the rows of all `parts`."""
        return self.encode([row for data in parts for row in self.decode(data)])

    def remove(self, data: bytes, indices: AbstractSet[int]) -> bytes:
        """Return the result object without the rows at `indices`."""
        return self.encode([row for at, row in enumerate(self.decode(data)) if at not in indices])


def _batched(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    while batch := list(islice(rows, size)):
        yield batch
