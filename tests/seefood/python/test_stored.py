"""What lies in an output, with corrections."""

from pathlib import Path

import pytest

import seefood
from seefood.corrections import Correction, CorrectionLog
from seefood.errors import UsageError
from seefood.records import utc_now
from seefood.storage.uris import parse_location
from seefood.workers.chunks import write_chunk
from tests.fakes import DIGEST, make_row


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Three rows in two formats, one of them corrected."""
    location = parse_location(str(tmp_path))
    write_chunk([make_row("s3://b/1.jpg"), make_row("s3://b/2.jpg")], location, "parquet")
    write_chunk([make_row("s3://b/3.jpg")], location, "csv")
    correction = Correction("s3://b/2.jpg", "e1", "green", "red", DIGEST, "ann", utc_now(), "")
    CorrectionLog(location).append([correction])
    return tmp_path


def test_rows_with_corrections(output: Path) -> None:
    """A person's label counts, with the score that the model gave it."""
    rows = seefood.read(output)
    assert 3 == len(rows)
    labels = {row["uri"][-5]: (row["label"], row["score"], row["by"]) for row in rows}
    assert {
        "1": ("red", 0.75, "model"),
        "2": ("green", 0.25, "person"),
        "3": ("red", 0.75, "model"),
    } == labels
    assert 3 == rows.to_arrow().num_rows == len(rows.to_pandas())


def test_chosen_columns_and_what_the_model_said(output: Path) -> None:
    """In the order that was asked for."""
    rows = seefood.read(output, columns=("by", "label"))
    assert ["by", "label"] == rows.to_arrow().schema.names
    plain = seefood.read(output, columns=("label",), corrected=False).to_arrow()
    assert ["red"] * 3 == plain["label"].to_pylist()
    assert 3 == len(seefood.read(output, digest=DIGEST))


def test_mistakes_are_usage_errors(output: Path, tmp_path: Path) -> None:
    """An output without rows, a model without rows, an unknown column."""
    with pytest.raises(UsageError, match="there are no rows below"):
        seefood.read(tmp_path / "none")
    with pytest.raises(UsageError, match="None is no path or URI"):
        seefood.read(None)  # type: ignore[arg-type]  # what a program may give
    with pytest.raises(UsageError, match="there are no rows of the model"):
        seefood.read(output, digest="f" * 64)
    with pytest.raises(UsageError, match="have no column 'x'"):
        seefood.read(output, columns=("x",))
    with pytest.raises(UsageError, match="have no column 'by'"):
        seefood.read(output, columns=("by",), corrected=False)
