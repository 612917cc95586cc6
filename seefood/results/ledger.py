"""The ledger: which pictures have a row already. It is the results themselves, nothing else.

A picture is done when a row under this model has its URI and entity tag. So resuming after a crash
and the nightly increment are one mechanism, and what the Lambda labelled counts too. A row that
failed for a reason that may have passed (`TRANSIENT`) does not count: the next run tries again, and
`seefood.results.deduplicate` takes the older row away.
"""

import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from seefood.errors import ErrorCode
from seefood.records import ImageRef
from seefood.results.files import decode_rows, part_format, reading_part
from seefood.storage import open_store
from seefood.storage.uris import parse_location

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_READERS: Final = 16
KEY_BYTES: Final = 16
TRANSIENT: Final = frozenset(
    {
        ErrorCode.NOT_FOUND,
        ErrorCode.CHANGED,
        ErrorCode.FORBIDDEN,
        ErrorCode.STORE_ERROR,
        ErrorCode.ENGINE_ERROR,
        ErrorCode.TIMEOUT,
        ErrorCode.OUT_OF_MEMORY,
    }
)
"""Failures that say nothing of the picture itself: the next run tries it again."""


class Ledger:
    """A set of (URI, entity tag), 16 bytes each; made of hashes, asked in O(log n)."""

    def __init__(self, keys: Iterable[bytes], failed: Iterable[bytes] = ()) -> None:
        """`keys` are what `ledger_key` returns, `failed` those whose rows do not count."""
        done, tried = _array(keys), _array(failed)
        self._done = np.unique(done)
        self._tried = np.setdiff1d(tried, self._done)
        self.duplicates = int(done.size + tried.size - self._done.size - self._tried.size)
        """How many rows there are too many: what a killed run did not tidy up."""

    def __len__(self) -> int:
        return int(self._done.size)

    def __contains__(self, ref: ImageRef) -> bool:
        """Whether `ref` has a row already that counts."""
        return _has(self._done, ref)

    def has_tried(self, ref: ImageRef) -> bool:
        """Whether `ref` has a row only of a failure that may have passed."""
        return _has(self._tried, ref)


def _array(keys: Iterable[bytes]) -> "NDArray[np.bytes_]":
    # Fixed-width byte strings: sorted in C, and never equal but where all 16 bytes are.
    return np.array(list(keys), dtype=f"S{KEY_BYTES}")


def _has(keys: "NDArray[np.bytes_]", ref: ImageRef) -> bool:
    if not keys.size:
        return False
    key = np.bytes_(ledger_key(ref.uri, ref.etag))
    at = int(np.searchsorted(keys, key))
    return at < keys.size and bool(keys[at] == key)


def ledger_key(uri: str, etag: str) -> bytes:
    """Return up to 16 bytes that name this content at this place.

    Without trailing zeros, because NumPy's byte strings lose them.
    """
    text = json.dumps([uri, etag]).encode()
    return hashlib.blake2b(text, digest_size=KEY_BYTES).digest().rstrip(b"\0")


def read_ledger(parts: Iterable[str]) -> Ledger:
    """Return the ledger of these result objects, given by their URIs; reads three columns of each.

    Raises `JobError` if one cannot be read or holds no rows.
    """
    done: list[bytes] = []
    tried: list[bytes] = []
    with ThreadPoolExecutor(_READERS) as pool:
        for outcomes in pool.map(_outcomes, parts):
            for key, error_code in outcomes:
                (tried if error_code in TRANSIENT else done).append(key)
    return Ledger(done, tried)


def read_columns(uri: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return some columns of each row of one result object, times as `datetime`.

    Raises `JobError` if it cannot be read or holds no rows.
    """
    location = parse_location(uri)
    form = part_format(uri) or ""
    with reading_part(uri):
        data = open_store(location.root).read(location.key)
        if form != "parquet":
            return [
                tuple(getattr(row, name) for name in columns) for row in decode_rows(data, form)
            ]
        import pyarrow.parquet as pq  # noqa: PLC0415 (100 ms, and the Lambda has none)

        table = pq.read_table(io.BytesIO(data), columns=list(columns))
        _check_types(table)
        return list(zip(*(table[name].to_pylist() for name in columns), strict=True))


def _check_types(table: "pa.Table") -> None:
    """Raise `ValueError` for a column that holds something else, or misses values.

    Not exactly our types: a table that somebody rewrote with another tool is still the ledger.
    """
    for column in table.schema:
        kind = "timestamp" if column.name == "classified_at" else "string"
        if kind not in str(column.type) and str(column.type) != "null":
            raise ValueError(f"its column {column.name} is of {column.type}")
        if column.name != "error_code" and table[column.name].null_count:
            raise ValueError(f"its column {column.name} is not filled")


def _outcomes(uri: str) -> list[tuple[bytes, str | None]]:
    return [
        (ledger_key(name, etag), code)
        for name, etag, code in read_columns(uri, ("uri", "etag", "error_code"))
    ]
