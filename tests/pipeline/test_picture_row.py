"""The schema of rows is one that sinks outside Python take."""

from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import schema_pb2
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.typehints.arrow_type_compatibility import arrow_schema_from_beam_schema
from apache_beam.typehints.schemas import typing_to_runner_api

from seefood_pipeline.picture_row import PictureRow

pytestmark = pytest.mark.beam

_SQL_TYPES = {
    schema_pb2.STRING: "STRING",
    schema_pb2.INT64: "INT64",
    schema_pb2.DOUBLE: "FLOAT64",
    schema_pb2.BOOLEAN: "BOOL",
}
"""Of Beam's atomic types, those that BigQuery's Storage Write API, JDBC and Beam SQL know alike."""


def _schema() -> Any:
    return typing_to_runner_api(PictureRow).row_type.schema


def _atoms(kind: Any) -> Iterator[int]:
    """Yield the atomic types inside a type. Raises `KeyError` for one that only Python knows."""
    which = kind.WhichOneof("type_info")
    if which == "array_type":
        yield from _atoms(kind.array_type.element_type)
    elif which == "row_type":
        for field in kind.row_type.schema.fields:
            yield from _atoms(field.type)
    elif which == "atomic_type":
        yield kind.atomic_type
    else:
        raise KeyError(which)


def test_every_column_has_a_type_of_sql() -> None:
    """Text, whole numbers, real numbers, and lists and rows of them: nothing is pickled."""
    types = {field.name: {_SQL_TYPES[a] for a in _atoms(field.type)} for field in _schema().fields}
    assert {"STRING"} == types["uri"]
    assert {"INT64"} == types["size_bytes"]
    assert {"FLOAT64"} == types["score"]
    assert {"STRING", "FLOAT64"} == types["top"]


def test_columns_may_be_null_where_rows_have_none() -> None:
    """A picture that failed has no label; every row has a URI, a status and a model."""
    nullable = {field.name for field in _schema().fields if field.type.nullable}
    assert {"label", "score", "top", "error_code", "labels"} <= nullable
    assert not {"uri", "etag", "status", "model_digest", "classified_at"} & nullable


def test_arrow_knows_the_schema() -> None:
    """Parquet gets typed columns, also for the best labels."""
    schema = arrow_schema_from_beam_schema(_schema())
    assert pa.string() == schema.field("uri").type
    assert pa.int64() == schema.field("size_bytes").type
    assert pa.types.is_list(schema.field("top").type)
    assert not schema.field("uri").nullable


def test_beam_selects_and_groups_by_column() -> None:
    """Beam's own steps over schemas, which its SQL uses as well, know the columns."""
    nothing: dict[str, Any] = dict.fromkeys(PictureRow._fields)
    known = {"etag": "e", "size_bytes": 3, "status": "ok", "model": "m", "model_digest": "d"}
    known |= {"engine": "fake", "classified_at": "2026-11-23T16:03:36.123Z"}
    rows = [
        PictureRow(**{**nothing, **known, "uri": str(at), "label": label, "score": 0.5})
        for at, label in enumerate(("cat", "dog", "cat", None))
    ]
    with beam.Pipeline("FnApiRunner", options=PipelineOptions([])) as pipeline:
        counts = (
            pipeline
            | beam.Create(rows).with_output_types(PictureRow)
            | beam.GroupBy("label").aggregate_field("size_bytes", sum, "bytes")
            | beam.Map(tuple)
        )
        assert_that(counts, equal_to([("cat", 6), ("dog", 3), (None, 3)]))
