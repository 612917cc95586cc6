"""The summary of a run."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seefood.bundle import load_bundle
from seefood.results.totals import Totals, count_rows
from seefood.runs.run_spec import RunSpec
from seefood.runs.summary import FinishedRun, shown, summarise, write_summary
from seefood.sources.registry import parse_source
from seefood.storage import read
from seefood.storage.uris import parse_location
from tests.fakes import failed, make_row


@pytest.fixture
def finished(memory: str, tmp_path: Path) -> FinishedRun:
    """A run of two minutes that began at noon, over a folder whose name is not UTF-8."""
    folder = tmp_path / "caf\udce9"
    folder.mkdir()
    return FinishedRun(
        run=RunSpec(
            parse_location(f"{memory}/out"),
            "0" * 64,
            "20261123T120000Z-abc",
            sources=(parse_source(str(folder)),),
        ),
        started_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
        seconds=120.5,
        classify_seconds=100.0,
        engine="litert",
    )


def test_a_summary_has_what_the_contract_says(
    finished: FinishedRun, bundle_path: Path, memory: str
) -> None:
    """It has counts, seconds, speed, bytes, model and options; sources may be no UTF-8."""
    totals = count_rows([make_row(), failed("s3://b/x", "corrupt", "no")])
    totals += Totals(listed=7, skipped=5)
    bundle = load_bundle(bundle_path)
    summary = summarise(finished, totals, bundle)
    location = write_summary(summary, finished.run.folder)
    assert f"{memory}/out/runs/20261123T120000Z-abc/summary.json" == location.uri
    document = json.loads(read(location))
    assert json.loads(json.dumps(summary)) == document
    expected = {
        "listed": 7, "skipped_by_ledger": 5, "rows": 2, "bytes_read": 2468, "parts": 1,
        "by_status": {"ok": 1, "failed": 1}, "by_label": {"red": 1},
        "by_error_code": {"corrupt": 1}, "seconds": 120.5, "pictures_per_second": 0.0,
        "started_at": "2026-11-23T12:00:00.000Z",
    }  # fmt: skip
    assert expected == {name: document[name] for name in expected}
    assert ("parquet", 5, None) == tuple(
        document["options"][name] for name in ("format", "top_k", "shard")
    )
    assert "cpu" == document["model"]["device"]
    assert (bundle.digest, "litert") == (document["model"]["digest"], document["model"]["engine"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [("/a b/c", "/a b/c"), ("s3://b/a b", "s3://b/a b"), ("file:///a%20b", "/a b")],
)
def test_locations_are_shown_as_typed(text: str, expected: str) -> None:
    """A local location is shown as a path, any other as a URI."""
    assert expected == shown(parse_location(text))
