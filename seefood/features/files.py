"""The objects that hold features, in an output.

    DEST/features/digest=<12>/part-<chunk hash>.parquet     written by the batch job
    DEST/features/digest=<12>/<hash of uri and etag>.json   written by the Lambda, one an object

A part has the name of the result object with the same pictures, and columns `uri`, `etag`, `scale`
(float32) and `features` (a fixed-size list of int8): a feature is `scale * features[i]`. It is
written before the rows, so that a picture with a row has its features. If a run is killed in
between, the next one writes them again: readers take one vector for each picture. `compact` merges
rows and leaves these objects as they are.
"""

import base64
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from seefood.errors import JobError, SeefoodError
from seefood.records import DIGEST_SHOWN, ImageRef, Row
from seefood.results.files import FEATURES
from seefood.storage import list_existing, read, write
from seefood.storage.uris import Location, parse_location

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_COLUMN: Final = "features"
_PARQUET: Final = ".parquet"
_JSON: Final = ".json"


@dataclass(frozen=True, slots=True)
class Vectors:
    """The stored vectors of some pictures."""

    uris: "pa.Array"
    """Strings."""
    etags: "pa.Array"
    values: "NDArray[np.int8]"
    """Of shape `(n, dimension)`."""
    scales: "NDArray[np.float32]"
    """Of shape `(n,)`."""


def features_folder(output: Location, digest: str) -> Location:
    """Return where the features of the model `digest` are."""
    return output.child(f"{FEATURES}/digest={digest[:DIGEST_SHOWN]}")


def write_part_features(part: Location, output: Location, digest: str, rows: Sequence[Row]) -> None:
    """Write the features of `rows`, whose result object is `part`; nothing if they have none.

    Atomic and idempotent.
    """
    featured = [row for row in rows if row.vector is not None]
    if featured:
        name = part.key.rpartition("/")[2].rpartition(".")[0]
        write(features_folder(output, digest).child(f"{name}{_PARQUET}"), encode_vectors(featured))


def write_upload_features(row: Row, output: Location) -> None:
    """Write the features of one row as a JSON object; nothing if it has none.

    Atomic and idempotent: the same object for a duplicate event. Needs no pyarrow.
    """
    if row.vector is None:
        return
    identity = hashlib.sha256(json.dumps([row.uri, row.etag]).encode()).hexdigest()[:32]
    document = {
        "uri": row.uri,
        "etag": row.etag,
        "scale": row.vector.scale,
        "int8": base64.b64encode(row.vector.values).decode(),
    }
    target = features_folder(output, row.model_digest).child(f"{identity}{_JSON}")
    write(target, json.dumps(document).encode())


def encode_vectors(rows: Sequence[Row]) -> bytes:
    """Return the Parquet file of the features of `rows`, of which each has some."""
    vectors = [row.vector for row in rows if row.vector is not None]
    values = np.frombuffer(b"".join(each.values for each in vectors), np.int8)
    return encode_table(
        [row.uri for row in rows],
        [row.etag for row in rows],
        values.reshape(len(vectors), -1),
        np.array([each.scale for each in vectors], np.float32),
    )


def encode_table(
    uris: "Sequence[str] | pa.Array",
    etags: "Sequence[str] | pa.Array",
    values: "NDArray[np.int8]",
    scales: "NDArray[np.float32]",
) -> bytes:
    """Return the Parquet file of `values`, `(n, dimension)`, and their scales."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    flat = pa.array(np.ascontiguousarray(values).reshape(-1))
    table = pa.table(
        {
            "uri": pa.array(uris, pa.string()),
            "etag": pa.array(etags, pa.string()),
            "scale": pa.array(scales),
            _COLUMN: pa.FixedSizeListArray.from_arrays(flat, values.shape[1]),
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", use_dictionary=False, write_statistics=False)
    return sink.getvalue()


def list_feature_parts(output: Location, digest: str | None = None) -> list[ImageRef]:
    """Return the objects with features below `output`, sorted by URI; none is no error.

    `digest` keeps only one model's.
    """
    folder = output.child(f"{FEATURES}/")
    if digest is not None:
        folder = folder.child(f"digest={digest[:DIGEST_SHOWN]}/")
    refs = list_existing(folder)
    return sorted((ref for ref in refs if ref.uri.endswith((_PARQUET, _JSON))), key=_uri)


def read_vectors(uri: str) -> Vectors:
    """Return the vectors of one object. Raises `JobError` if it cannot be read."""
    data = read(parse_location(uri))
    try:
        return _from_json(data) if uri.endswith(_JSON) else _from_parquet(data)
    except SeefoodError:
        raise
    except Exception as error:  # Arrow and json raise many kinds for foreign content
        raise JobError(
            f"{uri} holds no features of seefood ({error}); move it away and run again"
        ) from error


def _from_parquet(data: bytes) -> Vectors:
    import pyarrow.parquet as pq  # noqa: PLC0415

    table = pq.read_table(io.BytesIO(data)).combine_chunks()
    column = table[_COLUMN]
    dimension = column.type.list_size
    flat = [chunk.flatten().to_numpy() for chunk in column.chunks]
    values = np.concatenate(flat) if flat else np.empty(0, np.int8)
    return Vectors(
        _single(table["uri"]),
        _single(table["etag"]),
        values.reshape(-1, dimension),
        table["scale"].to_numpy().astype(np.float32),
    )


def _from_json(data: bytes) -> Vectors:
    import pyarrow as pa  # noqa: PLC0415

    document: dict[str, Any] = json.loads(data)
    values = np.frombuffer(base64.b64decode(document["int8"], validate=True), np.int8)
    return Vectors(
        pa.array([document["uri"]], pa.string()),
        pa.array([document["etag"]], pa.string()),
        values[np.newaxis],
        np.array([document["scale"]], np.float32),
    )


def _single(column: "pa.ChunkedArray") -> "pa.Array":
    import pyarrow as pa  # noqa: PLC0415

    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _uri(ref: ImageRef) -> str:
    return ref.uri
