"""The ledger: which pictures have a row already. It is the results themselves, nothing else.

A picture is done when a row under this model has its URI and entity tag. So resuming after a crash
and the nightly increment are one mechanism, and what the Lambda labelled counts too.
"""

import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import numpy as np

from seefood.errors import JobError
from seefood.records import ImageRef
from seefood.results import decode_rows, part_format
from seefood.storage import open_store
from seefood.uris import parse_location

if TYPE_CHECKING:
    from numpy.typing import NDArray

_READERS: Final = 16
_KEY_BYTES: Final = 16


class Ledger:
    """A set of (URI, entity tag), 16 bytes each; made of hashes, asked in O(log n)."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        """`keys` are what `ledger_key` returns."""
        # Fixed-width byte strings: sorted in C, and never equal but where all 16 bytes are.
        array: NDArray[np.bytes_] = np.array(list(keys), dtype=f"S{_KEY_BYTES}")
        self._keys = np.unique(array)

    def __len__(self) -> int:
        return int(self._keys.size)

    def __contains__(self, ref: ImageRef) -> bool:
        """Whether `ref` has a row already."""
        if not self._keys.size:
            return False
        key = np.bytes_(ledger_key(ref.uri, ref.etag))
        at = int(np.searchsorted(self._keys, key))
        return at < self._keys.size and bool(self._keys[at] == key)


def ledger_key(uri: str, etag: str) -> bytes:
    """Return up to 16 bytes that name this content at this place.

    Without trailing zeros, because NumPy's byte strings lose them.
    """
    text = json.dumps([uri, etag]).encode()
    return hashlib.blake2b(text, digest_size=_KEY_BYTES).digest().rstrip(b"\0")


def read_ledger(parts: Iterable[str]) -> Ledger:
    """Return the ledger of these result objects, given by their URIs; reads two columns of each.

    Raises `JobError` if one cannot be read or holds no rows.
    """
    with ThreadPoolExecutor(_READERS) as pool:
        return Ledger(key for keys in pool.map(_part_keys, parts) for key in keys)


def _part_keys(uri: str) -> list[bytes]:
    location = parse_location(uri)
    try:
        data = open_store(location.root).read(location.key)
        return [ledger_key(*pair) for pair in _pairs(data, part_format(uri) or "")]
    except (ValueError, KeyError, OSError) as error:
        raise JobError(
            f"{uri} holds no rows of seefood ({error}); move it away and run again"
        ) from error


def _pairs(data: bytes, form: str) -> Iterator[tuple[str, str]]:
    if form != "parquet":
        yield from ((row.uri, row.etag) for row in decode_rows(data, form))
        return
    import pyarrow.parquet as pq  # noqa: PLC0415 (100 ms, and the Lambda has none)

    table = pq.read_table(io.BytesIO(data), columns=["uri", "etag"])
    yield from zip(table["uri"].to_pylist(), table["etag"].to_pylist(), strict=True)
