"""Files that a run reads besides pictures: a worker's totals, and an estimate."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from seefood.errors import JobError, UsageError
from seefood.results.totals import count_rows
from seefood.runs.run_spec import RunSpec
from seefood.storage import write
from seefood.storage.uris import parse_location
from seefood.units import beside
from seefood_pipeline.coordination import take_totals
from seefood_pipeline.prepare import read_quotes
from tests.fakes import DIGEST, make_row
from tests.fuzz.target import Target

_RECEIPT: Final = {"seconds": 1.0, "usd": {"machine": 0.1}}


def _totals(data: bytes) -> None:
    """Read a worker's totals, as the launcher does."""
    run = RunSpec(parse_location("memory://fuzz-runs"), DIGEST, "fuzz")
    write(run.folder.child("totals.json"), data)
    try:
        take_totals(run).as_json()
    except JobError:
        return


def _totals_seeds() -> Sequence[bytes]:
    return [json.dumps(count_rows([make_row(), make_row()]).as_json()).encode()]


def _quote(data: bytes) -> None:
    path = Path(tempfile.gettempdir(), "seefood-fuzz-quote.json")
    path.write_bytes(data)
    try:
        quote = read_quotes(path)[None]
    except UsageError:
        return
    beside(quote, _RECEIPT)


def _quote_seeds() -> Sequence[bytes]:
    quote = {
        "due": 1,
        "seconds": {"low": 1.0, "expected": 2.0, "high": 3.0},
        "usd": {"machine": {"expected": 0.1}},
        "prices": {"name": "a", "date": "b"},
    }
    return [json.dumps(quote).encode()]


TARGETS: Final = (
    Target("totals", _totals, _totals_seeds, is_json=True),
    Target("quote", _quote, _quote_seeds, is_json=True),
)
