"""Features follow pictures that were moved, so that nothing has to be read again."""

import hashlib
import json
from collections.abc import Mapping

from seefood.features.files import encode_table, list_feature_parts, read_vectors
from seefood.results.files import FEATURES
from seefood.storage import write
from seefood.storage.uris import Location

Key = tuple[str, str]
"""A picture: URI and entity tag."""


def move_vectors(output: Location, moved: Mapping[Key, Key]) -> int:
    """Write the vectors of pictures under where they are now; return how many.

    `moved` has the URI and entity tag now by those before. The vectors under the old names stay:
    a vector without a row counts nowhere, and serves again after `undo`. Idempotent: the name of
    an object depends on its vectors alone. Raises `JobError` if an object cannot be read.
    """
    written = 0
    for part in list_feature_parts(output):
        vectors = read_vectors(part.uri)
        keys = list(zip(vectors.uris.to_pylist(), vectors.etags.to_pylist(), strict=True))
        at = [index for index, key in enumerate(keys) if key in moved]
        if not at:
            continue
        now = [moved[keys[index]] for index in at]
        name = hashlib.sha256(json.dumps([part.uri, now]).encode()).hexdigest()[:32]
        folder = part.uri.rpartition(f"/{FEATURES}/")[2].partition("/")[0]
        write(
            output.child(f"{FEATURES}/{folder}/part-{name}.parquet"),
            encode_table(
                [uri for uri, _ in now],
                [etag for _, etag in now],
                vectors.values[at],
                vectors.scales[at],
            ),
        )
        written += len(at)
    return written
