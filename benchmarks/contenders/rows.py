"""Writes one Parquet file, for contenders without a writer of their own."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.job import Job


class _NoPandas(MetaPathFinder):
    """Hides pandas, which pyarrow imports at its first array."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        """See `importlib`."""
        del path, target
        if name == "pandas":
            raise ModuleNotFoundError(name, name=name)


_finder = _NoPandas()
sys.meta_path.insert(0, _finder)
pa.array([0])
sys.meta_path.remove(_finder)

Row = tuple[str, str, float]
"""URI, label, score."""


def write_rows(job: Job, rows: Sequence[Row]) -> None:
    """Write `rows` as one Parquet file."""
    uris, labels, scores = zip(*rows, strict=True)
    table = pa.table({"uri": uris, "label": labels, "score": scores})
    pq.write_table(table, Path(job.output) / "rows.parquet", compression="zstd")
