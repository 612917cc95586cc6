"""The account of a run."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seefood.bundle import load_bundle
from seefood.results.totals import Totals, count_rows
from seefood.runs.summary import Run, run_folder, shown, summarise, write_summary
from seefood.storage import read
from seefood.storage.uris import parse_location
from tests.fakes import failed, make_row


@pytest.fixture
def run() -> Run:
    """A run of two minutes that began at noon."""
    return Run(
        run_id="20261123T120000Z-abc",
        sources=("/photos/caf\udce9",),
        output="file:///out",
        options={"format": "parquet"},
        started_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
        seconds=120.5,
        classify_seconds=100.0,
        engine="litert",
    )


def test_a_summary_holds_what_the_contract_says(run: Run, bundle_path: Path, memory: str) -> None:
    """Counts, seconds, speed, bytes, model, options, skipped; also a source that is no UTF-8."""
    totals = count_rows([make_row(), failed("s3://b/x", "corrupt", "no")])
    totals += Totals(listed=7, skipped=5)
    bundle = load_bundle(bundle_path)
    summary = summarise(run, totals, bundle)
    folder = run_folder(parse_location(f"{memory}/out"), run.run_id)
    location = write_summary(summary, folder)
    assert f"{memory}/out/runs/20261123T120000Z-abc/summary.json" == location.uri
    document = json.loads(read(location))
    assert summary == document
    expected = {
        "listed": 7, "skipped_by_ledger": 5, "rows": 2, "bytes_read": 2468, "parts": 1,
        "by_status": {"ok": 1, "failed": 1}, "by_label": {"red": 1},
        "by_error_code": {"corrupt": 1}, "seconds": 120.5, "pictures_per_second": 0.0,
        "started_at": "2026-11-23T12:00:00.000Z",
    }  # fmt: skip
    assert expected == {name: document[name] for name in expected}
    assert (bundle.digest, "litert") == (document["model"]["digest"], document["model"]["engine"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [("/a b/c", "/a b/c"), ("s3://b/a b", "s3://b/a b"), ("file:///a%20b", "/a b")],
)
def test_locations_are_shown_as_typed(text: str, expected: str) -> None:
    """A local place is a path, any other a URI."""
    assert expected == shown(parse_location(text))
