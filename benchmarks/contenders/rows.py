"""The rows that contenders without a writer of their own write: one Parquet file."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.contender import Job

# pyarrow imports pandas at its first array, wherever it is installed. Not on anybody's clock.
if "pandas" not in sys.modules:
    sys.modules["pandas"] = None  # type: ignore[assignment]
    pa.array([0])
    del sys.modules["pandas"]

Answer = tuple[str, str, float]
"""URI, label, score."""


def write_rows(job: Job, rows: Sequence[Answer]) -> None:
    """Write `rows` as one Parquet file."""
    uris, labels, scores = zip(*rows, strict=True)
    table = pa.table({"uri": uris, "label": labels, "score": scores})
    pq.write_table(table, Path(job.output) / "rows.parquet", compression="zstd")
