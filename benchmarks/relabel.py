"""Times how `seefood teach` relabels rows from stored vectors: `python -m benchmarks.relabel`.

Rows and vectors are drawn; the vectors of 1,000,000 pictures take 1.3 GB of memory.
"""

import argparse
import io
import resource
import tempfile
import time
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seefood.classification import Model
from seefood.features.stored import StoredVectors
from seefood.imaging.resize_rule import ResizeRule
from seefood.results.arrow import arrow_schema
from seefood.results.files import results_folder
from seefood.storage import write
from seefood.storage.uris import Location, parse_location
from seefood_training.linear_probe import Probe
from seefood_training.teaching.relabel import relabel

_DIMENSION: Final = 1280
_PER_PART: Final = 100_000
_OLD: Final = "0" * 64
_CLASSES: Final = ("hotdog", "not_hotdog", "corn dog")


def fill(output: Location, count: int) -> StoredVectors:
    """Write `count` rows below `output`, and return their vectors."""
    rng = np.random.default_rng(1)
    uris = [f"s3://bucket/camera/IMG_{number:07}.jpg" for number in range(count)]
    etags = [f"{number:032x}" for number in range(count)]
    schema = arrow_schema()
    for start in range(0, count, _PER_PART):
        part = slice(start, start + _PER_PART)
        size = len(uris[part])
        same: dict[str, Any] = {
            "size_bytes": 20_000, "label": "hotdog", "score": 0.9, "status": "ok", "model": "old",
            "model_digest": _OLD, "engine": "litert",
            "classified_at": datetime(2026, 1, 1, tzinfo=UTC),
        }  # fmt: skip
        columns = [
            pa.array({"uri": uris, "etag": etags}[field.name][part], field.type)
            if field.name in ("uri", "etag")
            else pa.array([same.get(field.name)], field.type).take(pa.array(np.zeros(size, int)))
            for field in schema
        ]
        sink = io.BytesIO()
        pq.write_table(pa.table(columns, schema=schema), sink, compression="zstd")
        write(results_folder(output, _OLD).child(f"part-{start:032}.parquet"), sink.getvalue())
    values = np.empty((count, _DIMENSION), np.int8)
    for start in range(0, count, _PER_PART):
        block = values[start : start + _PER_PART]
        block[:] = rng.integers(0, 127, block.shape, np.int8)
    return StoredVectors(
        pa.array(uris, pa.large_string()),
        pa.array(etags, pa.large_string()),
        values,
        np.full(count, 0.01, np.float32),
    )


def main() -> None:
    """Print the time and the memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    count = parser.parse_args().rows
    rng = np.random.default_rng(2)
    weights = rng.normal(0, 0.02, (_DIMENSION, len(_CLASSES))).astype(np.float32)
    head = Probe(weights, np.zeros(len(_CLASSES), np.float32))
    model = Model("taught", "1" * 64, _CLASSES, (0.5,) * len(_CLASSES), ResizeRule(240, 240))
    with tempfile.TemporaryDirectory() as folder:
        output = parse_location(folder)
        vectors = fill(output, count)
        start, cpu = time.perf_counter(), time.process_time()
        done = relabel(output, _OLD, vectors, head, model)
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(
        f"{done.rows:,} rows relabelled in {seconds:.1f} s, {cpu:.1f} s of CPU, peak {peak:,.0f} MB"
    )


if __name__ == "__main__":
    main()
