"""The rows of an output as arrays, with final labels: what duplicates are found by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from seefood.corrections import FINAL_COLUMNS, apply_corrections, read_corrections
from seefood.features.files import list_feature_parts
from seefood.features.places import VectorPlaces, key_hashes
from seefood.features.stored import StoredVectors, load_vectors
from seefood.records import Status
from seefood.results.files import digest_of
from seefood.results.output_rows import open_rows

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from seefood.storage.uris import Location

_COLUMNS: Final = (
    "uri",
    "etag",
    "size_bytes",
    "width",
    "height",
    "label",
    "status",
    "phash",
    "taken_at",
)
LOCAL: Final = "file:"
"""URIs of local files, and of members of local archives, begin so."""
NEVER: Final = np.iinfo(np.int64).max
"""Of `taken`: unknown, later than any time."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures that were read, one row each, of one output or several."""

    uris: "pa.Array"
    """Large strings."""
    contents: "NDArray[np.int64]"
    """Hashes of entity tag and size, the same in one process only; of URI and size where the tag
    does not tell the content: a local file's is of its time and size."""
    keys: "NDArray[np.int64]"
    """Hashes of URI and entity tag, likewise."""
    sizes: "NDArray[np.int64]"
    pixels: "NDArray[np.int64]"
    """Width times height."""
    taken: "NDArray[np.int64]"
    """In milliseconds; `NEVER` if unknown."""
    hashes: "NDArray[np.uint64]"
    """Perceptual hashes; 0 where `is_hashed` is False."""
    is_hashed: "NDArray[np.bool_]"
    labels: "NDArray[np.int32]"
    """Indices of `names`."""
    names: tuple[str, ...]
    side: "NDArray[np.int8]"
    """0 for the first output, 1 for the second."""

    def __len__(self) -> int:
        return int(self.sizes.size)


def load_pictures(outputs: Sequence["Location"]) -> Pictures:
    """Return the pictures of `outputs` that were read, the newest row of each URI.

    About 150 bytes a picture. Raises `UsageError` for an output without rows, `JobError` for an
    object that cannot be read.
    """
    import pyarrow as pa  # noqa: PLC0415

    tables, sides = [], []
    for side, output in enumerate(outputs):
        table = _table(output)
        tables.append(table)
        sides.append(np.full(table.num_rows, side, np.int8))
    return _pictures(pa.concat_tables(tables), np.concatenate(sides))


def load_picture_vectors(outputs: Sequence["Location"]) -> StoredVectors | None:
    """Return the vectors of the model that has features in every output; None without one."""
    models = [{digest_of(part.uri) for part in list_feature_parts(each)} for each in outputs]
    common = sorted(set.intersection(*models)) if models else []
    if not common:
        return None
    loaded = [load_vectors(output, common[-1]) for output in outputs]
    return loaded[0] if len(loaded) == 1 else _joined(loaded)


def find_vectors(pictures: Pictures, vectors: StoredVectors) -> "NDArray[np.int64]":
    """Return the index of each picture's vector; -1 without one."""
    return VectorPlaces(vectors).find_keys(pictures.keys)


def _table(output: "Location") -> "pa.Table":
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    corrections = read_corrections(output)
    columns = (*_COLUMNS, *(name for name in FINAL_COLUMNS if name not in _COLUMNS))
    batches = open_rows(output).batches(columns if corrections else _COLUMNS)
    if corrections:
        batches = apply_corrections(batches, corrections)
    read = [
        batch.filter(pc.not_equal(batch["status"], str(Status.FAILED))).select(list(_COLUMNS))
        for batch in batches
    ]
    return pa.Table.from_batches(read)


def _pictures(table: "pa.Table", side: "NDArray[np.int8]") -> Pictures:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    def numbers(name: str, missing: int = 0) -> "NDArray[np.int64]":
        column = pc.fill_null(table[name].cast(pa.int64()), missing)
        return np.asarray(column.to_numpy(), np.int64)

    uris, etags = table["uri"].to_pylist(), table["etag"].to_pylist()
    sizes = numbers("size_bytes")
    hashes = [_hash_value(text) for text in table["phash"].to_pylist()]
    labels = table["label"].combine_chunks().dictionary_encode()
    labels = labels.combine_chunks() if isinstance(labels, pa.ChunkedArray) else labels
    return Pictures(
        uris=pa.array(uris, pa.large_string()),
        contents=key_hashes(map(_content, uris, etags), sizes.tolist()),
        keys=key_hashes(uris, etags),
        sizes=sizes,
        pixels=numbers("width") * numbers("height"),
        taken=numbers("taken_at", NEVER),
        hashes=np.array([value or 0 for value in hashes], np.uint64),
        is_hashed=np.array([value is not None for value in hashes], np.bool_),
        labels=np.asarray(
            pc.fill_null(labels.indices, -1).to_numpy(zero_copy_only=False), np.int32
        ),
        names=tuple(labels.dictionary.to_pylist()),
        side=side,
    )


def _content(uri: str, etag: str) -> str:
    return uri if not etag or uri.startswith(LOCAL) else etag


def _hash_value(text: str | None) -> int | None:
    try:
        return None if text is None else int(text, 16) & 0xFFFF_FFFF_FFFF_FFFF
    except ValueError:  # of another tool
        return None


def _joined(parts: Sequence[StoredVectors]) -> StoredVectors:
    import pyarrow as pa  # noqa: PLC0415

    return StoredVectors(
        pa.concat_arrays([part.uris for part in parts]),
        pa.concat_arrays([part.etags for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.scales for part in parts]),
    )
