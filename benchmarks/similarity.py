"""Times `duplicates` and `like` on simulated vectors: `python -m benchmarks.similarity 1000000`.

Vectors are drawn, so the figures say how long it takes and how much memory, and of planted copies
how many are found; how well features tell photos apart is measured on photos (docs/features.md).
"""

import resource
import sys
import time
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from seefood.duplicates.groups import find_groups
from seefood.duplicates.pictures import NEVER, Pictures
from seefood.features.places import key_hashes
from seefood.features.stored import StoredVectors
from seefood.likeness.search import Likeness, nearest

_DIMENSION = 1280
_CENTRES = 200
_PARTS = 64


def simulate(count: int, copies: int) -> tuple[Pictures, StoredVectors]:
    """Return `count` pictures, of which the last `copies` are copies of others."""
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(_CENTRES, _PARTS)).astype(np.float32)
    mix = rng.normal(size=(_PARTS, _DIMENSION)).astype(np.float32)
    values = np.empty((count, _DIMENSION), np.int8)
    for start in range(0, count, 8192):
        size = min(8192, count - start)
        parts = centres[rng.integers(0, _CENTRES, size)] + 0.7 * rng.standard_normal(
            (size, _PARTS), np.float32
        )
        drawn = np.maximum(parts @ mix + 2 * rng.standard_normal((size, 1), np.float32), 0)
        values[start : start + size] = np.rint(drawn * (127 / drawn.max(axis=1, keepdims=True)))
    hashes = rng.integers(0, np.iinfo(np.uint64).max, count, dtype=np.uint64)
    sources = rng.choice(count - copies, copies, replace=False)
    values[count - copies :] = np.minimum(values[sources].astype(np.int16) + 1, 127)
    hashes[count - copies :] = hashes[sources] ^ np.uint64(0b101)
    uris = pa.array([f"s3://b/{number:07}.jpg" for number in range(count)], pa.large_string())
    tags = pa.array([f"{number:032x}" for number in range(count)], pa.large_string())
    ones = np.ones(count, np.int64)
    pictures = Pictures(
        uris=uris,
        contents=np.arange(count),
        keys=key_hashes(uris.to_pylist(), tags.to_pylist()),
        sizes=ones,
        pixels=ones,
        taken=ones * NEVER,
        hashes=hashes,
        is_hashed=np.ones(count, np.bool_),
        labels=np.zeros(count, np.int32),
        names=("a",),
        side=np.zeros(count, np.int8),
    )
    return pictures, StoredVectors(uris, tags, values, np.ones(count, np.float32))


def _timed(name: str, work: Callable[[], object]) -> object:
    start, cpu = time.perf_counter(), time.process_time()
    result = work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(
        f"{name}: {time.perf_counter() - start:.2f} s, {time.process_time() - cpu:.2f} s of CPU, "
        f"peak {peak:,.0f} MB",
        flush=True,
    )
    return result


def main(count: int, copies: int) -> None:
    """Print the figures."""
    pictures, vectors = simulate(count, copies)
    likeness = Likeness(vectors)
    query = vectors.values[7].astype(np.float32)
    for _ in range(3):
        _timed(f"like, {count:,} vectors", lambda: nearest(likeness.similarities(query), 50))
    groups = find_groups(pictures, None, distance=0)  # warms up
    groups = _timed(f"duplicates, {count:,}", lambda: find_groups(pictures, vectors))  # type: ignore[assignment]
    found = sum(len(group.members) - 1 for group in groups)
    print(f"{found:,} copies found of {copies:,} that were planted")


if __name__ == "__main__":
    size = int(sys.argv[1])
    main(size, size // 20)
