"""The ledger: which pictures already have a row, read from the results themselves.

A picture is done when a row of this model has its URI and entity tag, written by the batch job or
by the Lambda. So resuming after a crash and a nightly increment are the same mechanism. A row with
a transient failure (`TRANSIENT`) does not count: the next run tries the picture again, and
`seefood.results.deduplicate` removes the older row.
"""

import hashlib
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import numpy as np

from seefood.errors import ErrorCode
from seefood.records import ImageRef
from seefood.results.files import read_part

if TYPE_CHECKING:
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
"""Failures whose cause is not the picture itself: the next run tries it again."""


class Ledger:
    """A set of pictures by URI and entity tag: 16 bytes each, lookup in O(log n)."""

    def __init__(self, keys: Iterable[bytes], failed: Iterable[bytes] = ()) -> None:
        """`keys` are from `ledger_key`; `failed` are those of rows with transient failures."""
        done, tried = _array(keys), _array(failed)
        self._done = np.unique(done)
        self._tried = np.setdiff1d(tried, self._done)
        self.duplicates = int(done.size + tried.size - self._done.size - self._tried.size)
        """How many rows have a picture that another row has too."""

    def __len__(self) -> int:
        return int(self._done.size)

    def __contains__(self, ref: ImageRef) -> bool:
        """Whether `ref` is done."""
        return _contains(self._done, ref)

    def has_key(self, key: bytes) -> bool:
        """Whether the picture with this `ledger_key` is done."""
        return _has_key(self._done, key)

    def has_tried(self, ref: ImageRef) -> bool:
        """Whether `ref` has only rows with transient failures."""
        return _contains(self._tried, ref)


def _array(keys: Iterable[bytes]) -> "NDArray[np.bytes_]":
    # NumPy sorts fixed-width byte strings in C.
    return np.array(list(keys), dtype=f"S{KEY_BYTES}")


def _contains(keys: "NDArray[np.bytes_]", ref: ImageRef) -> bool:
    return bool(keys.size) and _has_key(keys, ledger_key(ref.uri, ref.etag))


def _has_key(keys: "NDArray[np.bytes_]", key: bytes) -> bool:
    at = int(np.searchsorted(keys, np.bytes_(key)))
    return at < keys.size and bool(keys[at] == key)


def ledger_key(uri: str, etag: str) -> bytes:
    """Return a hash of the URI and the entity tag, at most 16 bytes.

    Trailing zero bytes are cut off, because NumPy's byte strings lose them.
    """
    text = json.dumps([uri, etag]).encode()
    return hashlib.blake2b(text, digest_size=KEY_BYTES).digest().rstrip(b"\0")


def read_ledger(parts: Iterable[str], featured: Ledger | None = None) -> Ledger:
    """Return the ledger of the result objects with these URIs; reads three columns of each.

    With `featured`, the pictures that have features, a row of another picture does not count,
    unless the picture failed. Raises `JobError` if an object cannot be read or holds something
    else.
    """
    done: list[bytes] = []
    tried: list[bytes] = []
    with ThreadPoolExecutor(_READERS) as pool:
        for rows in pool.map(_keys_and_codes, parts):
            for key, error_code in rows:
                is_tried = error_code in TRANSIENT
                if featured is not None and error_code is None:
                    is_tried = not featured.has_key(key)
                (tried if is_tried else done).append(key)
    return Ledger(done, tried)


def _keys_and_codes(uri: str) -> list[tuple[bytes, str | None]]:
    columns = ("uri", "etag", "error_code")
    return [(ledger_key(name, etag), code) for name, etag, code in read_part(uri, columns)]
