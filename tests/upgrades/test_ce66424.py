"""Bundles and outputs that commit ce66424 wrote are read, resumed and reported.

`ce66424/` holds what that commit's own commands made on 2026-11-27: both built-in bundles; eight
drawn pictures; the output of `seefood classify s3://frozen-photos/` in each format (CSV with
`hotdog-lite`, the others with `hotdog`) before `uploads/u.jpg` was there; and below `parquet/` the
row that its Lambda handler wrote for that upload. The pages of the reports are left out.
"""

import json
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from seefood.bundle import load_bundle
from seefood.cli import cli
from seefood.results.files import read_rows
from seefood.results.output_rows import open_rows
from seefood.runs.run_spec import RunOptions
from seefood.storage.uris import parse_location
from seefood_pipeline.launcher import launch
from seefood_pipeline.request import Request
from tests.conftest import Bucket

FROZEN: Final = Path(__file__).with_name("ce66424")
MODEL_OF: Final = {"parquet": "hotdog", "jsonl": "hotdog", "csv": "hotdog-lite"}
FORMATS: Final = sorted(MODEL_OF)
DIGESTS: Final = {"hotdog": "f1dff07b844c", "hotdog-lite": "9e8628a8bfaf"}
PICTURES: Final = 8


@pytest.fixture
def photos(s3: Bucket) -> str:
    """The pictures in the bucket that the frozen rows name."""
    s3.client.create_bucket(Bucket="frozen-photos")
    for file in (FROZEN / "photos").rglob("*.*"):
        key = file.relative_to(FROZEN / "photos").as_posix()
        s3.client.put_object(Bucket="frozen-photos", Key=key, Body=file.read_bytes())
    return "s3://frozen-photos/"


def output_of(s3: Bucket, file_format: str) -> str:
    """Return the URI of a copy of a frozen output."""
    folder = FROZEN / "outputs" / file_format
    for file in folder.rglob("*.*"):
        s3.client.put_object(
            Bucket=s3.name, Key=file.relative_to(folder).as_posix(), Body=file.read_bytes()
        )
    return f"s3://{s3.name}"


@pytest.mark.parametrize("name", sorted(DIGESTS))
def test_its_bundles_load_with_their_digest(name: str) -> None:
    """The digest, so that rows of then and of now are rows of one model."""
    bundle = load_bundle(FROZEN / "bundles" / name)
    assert bundle.digest.startswith(DIGESTS[name])
    assert ("hotdog", "not_hotdog") == bundle.spec.labels


@pytest.mark.beam
@pytest.mark.parametrize("file_format", FORMATS)
def test_its_output_is_resumed_and_reported(s3: Bucket, photos: str, file_format: str) -> None:
    """Rows of then stand; the picture without a row gets one; labels of then and now agree."""
    output = output_of(s3, file_format)
    model = MODEL_OF[file_format]
    before = {row.uri: row for row in read_rows(parse_location(output))}
    options = RunOptions(file_format=file_format)
    bundle = FROZEN / "bundles" / model
    outcome = launch(Request((photos,), output, bundle, options), "quiet")
    has_upload_row = file_format == "parquet"
    assert (PICTURES, PICTURES - (not has_upload_row)) == (
        outcome.summary["listed"],
        outcome.summary["skipped_by_ledger"],
    )
    rows = open_rows(parse_location(output))
    assert PICTURES == rows.count
    now = {row.uri: row for row in read_rows(parse_location(output))}
    assert before.items() <= now.items()
    result = CliRunner().invoke(cli, ["report", output], catch_exceptions=False)
    assert 0 == result.exit_code, result.output
    again = launch(Request((photos,), f"{output}/new", bundle, options), "quiet")
    assert PICTURES == again.summary["rows"]
    for row in read_rows(parse_location(f"{output}/new")):
        assert (row.label, row.status) == (now[row.uri].label, now[row.uri].status)
        if row.score is not None:
            assert row.score == pytest.approx(now[row.uri].score, abs=0.01)


def test_its_output_is_compared_and_compacted(s3: Bucket) -> None:
    """`diff` of two formats of the same rows finds the upload alone; `compact` keeps every row."""
    first = output_of(s3, "parquet")
    rows = open_rows(parse_location(first)).count
    other = str(FROZEN / "outputs" / "jsonl")
    compared = CliRunner().invoke(cli, ["diff", other, first, "--json"], catch_exceptions=False)
    assert 0 == compared.exit_code, compared.output
    (change,) = map(json.loads, compared.stdout.splitlines())
    assert ("s3://frozen-photos/uploads/u.jpg", "appeared") == (change["uri"], change["kind"])
    compacted = CliRunner().invoke(cli, ["compact", first], catch_exceptions=False)
    assert 0 == compacted.exit_code, compacted.output
    assert rows == open_rows(parse_location(first)).count
