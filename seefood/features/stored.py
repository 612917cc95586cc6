"""The vectors of a whole output: one a picture, in memory as 8-bit values."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from seefood.errors import JobError, UsageError
from seefood.features.files import Vectors, list_feature_parts, read_vectors
from seefood.records import DIGEST_SHOWN, ImageRef
from seefood.results.ledger import Ledger, ledger_key

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from seefood.storage.uris import Location

_READERS: Final = 8
_AHEAD: Final = 32


@dataclass(frozen=True, slots=True)
class StoredVectors:
    """One vector for each picture (URI and entity tag) of one model, in no particular order."""

    uris: "pa.Array"
    """Large strings."""
    etags: "pa.Array"
    values: "NDArray[np.int8]"
    """Of shape `(n, dimension)`; a feature is `scales[i] * values[i, j]`."""
    scales: "NDArray[np.float32]"
    """Of shape `(n,)`."""

    def __len__(self) -> int:
        return int(self.scales.size)


def iterate_vectors(output: "Location", digest: str) -> Iterator[Vectors]:
    """Yield the vectors of each object, in the order of the objects' names; read ahead.

    A picture may be in two objects; `load_vectors` takes one. Raises `JobError`.
    """
    yield from _read_all(list_feature_parts(output, digest))


def load_vectors(output: "Location", digest: str) -> StoredVectors:
    """Return all vectors of the model `digest`: about 1 byte a feature and the names in memory.

    Raises `UsageError` if there are none, `JobError` if an object cannot be read or two objects
    have vectors of different lengths.
    """
    import pyarrow as pa  # noqa: PLC0415

    parts = list(iterate_vectors(output, digest))
    if not parts:
        raise UsageError(
            f"there are no features of the model {digest[:DIGEST_SHOWN]} below {output.uri}; "
            "classify with `--features`: pictures that have a row and no features are read again"
        )
    if len({part.values.shape[1] for part in parts}) > 1:
        raise JobError(
            f"the features of the model {digest[:DIGEST_SHOWN]} below {output.uri} have different "
            "lengths; remove the folder and classify with `--features` again"
        )
    uris = pa.concat_arrays([part.uris.cast(pa.large_string()) for part in parts])
    etags = pa.concat_arrays([part.etags.cast(pa.large_string()) for part in parts])
    kept = _one_each(uris, etags)
    count = sum(len(part.scales) for part in parts)
    scales = np.concatenate([part.scales for part in parts])
    values = np.empty((count, parts[0].values.shape[1]), np.int8)
    end = count
    while parts:  # each part's memory is free once it is copied
        part = parts.pop()
        values[end - len(part.scales) : end] = part.values
        end -= len(part.scales)
    if kept.size == count:
        return StoredVectors(uris, etags, values, scales)
    taken = pa.array(kept)
    return StoredVectors(uris.take(taken), etags.take(taken), values[kept], scales[kept])


def read_feature_ledger(output: "Location", digest: str) -> Ledger:
    """Return which pictures have features of the model `digest`."""
    keys = [
        ledger_key(uri, etag)
        for part in iterate_vectors(output, digest)
        for uri, etag in zip(part.uris.to_pylist(), part.etags.to_pylist(), strict=True)
    ]
    return Ledger(keys)


def _one_each(uris: "pa.Array", etags: "pa.Array") -> "NDArray[np.int64]":
    """Return the index of the last vector of each picture, ascending."""
    keys = np.fromiter(
        map(hash, zip(uris.to_pylist(), etags.to_pylist(), strict=True)), np.int64, len(uris)
    )
    _, last = np.unique(keys[::-1], return_index=True)
    return np.sort(len(keys) - 1 - last)


def _read_all(parts: list[ImageRef]) -> Iterator[Vectors]:
    with ThreadPoolExecutor(_READERS, "features") as pool:
        for start in range(0, len(parts), _AHEAD):
            group = [part.uri for part in parts[start : start + _AHEAD]]
            yield from pool.map(read_vectors, group)
