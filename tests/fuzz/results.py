"""The files of an output: result objects, leases, summaries; and price tables."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from seefood.errors import JobError, UsageError
from seefood.report.writing import rewrite_report
from seefood.results.deduplicate import deduplicate
from seefood.results.files import encode_rows, read_rows
from seefood.results.ledger import read_ledger
from seefood.results.totals import count_rows
from seefood.runs.lease import hold_lease
from seefood.runs.pricing import Interval, Work, default_prices, load_prices, money
from seefood.runs.run_spec import RunSpec
from seefood.storage import open_store, write
from seefood.storage.uris import Location, parse_location
from tests.fakes import DIGEST, failed, make_row
from tests.fuzz.target import Target

_ROOT: Final = "memory://fuzz-results"
_FORMATS: Final = ("parquet", "jsonl", "csv", "json")
_ROWS: Final = (
    make_row(),
    make_row(label="=1+1", version_id="v", width=None),
    failed("file:///a%20b", "corrupt", "damaged JPEG: '\ud800"),
)
_WORK: Final = Work(10, {"get": 10}, Interval(0.1, 0.2, 0.3), 10**8)


def _part(data: bytes) -> None:
    """The first byte chooses the format; the rest is the only result object of an output."""
    file_format = _FORMATS[data[0] % len(_FORMATS)] if data else "jsonl"
    output = parse_location(f"{_ROOT}/part")
    part = output.child(f"results/digest={DIGEST[:12]}/part-0.{file_format}")
    write(part, data[1:])
    try:
        for read in (
            lambda: len(read_ledger([part.uri])),
            lambda: list(read_rows(output, DIGEST)),
            lambda: deduplicate(output, DIGEST),
        ):
            try:
                read()
            except JobError:
                continue
    finally:
        open_store(part.root).delete(part.key)


def _part_seeds() -> Sequence[bytes]:
    return [
        b"\0" + encode_rows(_ROWS, "parquet"),
        b"\1" + encode_rows(_ROWS, "jsonl"),
        b"\2" + encode_rows(_ROWS, "csv"),
        b"\3" + encode_rows(_ROWS[:1], "jsonl"),
    ]


def _lease(data: bytes) -> None:
    """Another run's lease has any content: the run is refused or replaces it."""
    output = Location(_ROOT, f"lease-{uuid4().hex}")
    location = output.child(f"runs/leases/{DIGEST[:12]}.all.000001.json")
    write(location, data)
    try:
        with hold_lease(RunSpec(output, DIGEST, "run")):
            pass
    except UsageError:
        pass
    finally:
        open_store(location.root).delete(location.key)


def _lease_seeds() -> Sequence[bytes]:
    lease = {
        "run_id": "20261123T000000Z-abcdef",
        "host": "here",
        "machine": None,
        "pid": 4,
        "started": "123",
        "since": "2026-11-23T00:00:00.000Z",
        "expires_at": 4e9,
    }
    return [json.dumps({**lease, **more}).encode() for more in ({}, {"expires_at": 1.0})]


def _summary(data: bytes) -> None:
    """A summary has any content: the report is written or refused with a message."""
    output = parse_location(f"{_ROOT}/summary")
    part = output.child(f"results/digest={DIGEST[:12]}/part-0.jsonl")
    write(part, encode_rows(_ROWS[:1], "jsonl"))
    write(output.child("runs/20261123T000000Z-abcdef/summary.json"), data)
    try:
        rewrite_report(output, output.child("page.html"))
    except (UsageError, JobError):
        return


def _summary_seeds() -> Sequence[bytes]:
    document: dict[str, Any] = {
        "run_id": "r",
        "started_at": "2026-11-23T00:00:00.000Z",
        "seconds": 1.5,
        "classify_seconds": 1.0,
        "pictures_per_second": 2.0,
        **count_rows(_ROWS).as_json(),
        "skipped_by_ledger": 0,
        "model": {"name": "m", "digest": DIGEST, "labels": ["a", "b"], "metrics": {"a": {"b": 1}}},
        "sources": ["s3://b"],
        "output": "s3://o",
        "options": {"limit": None, "force": False, "limits": {"max_bytes": 1}},
    }
    return [json.dumps(document).encode(), b"{}"]


def _prices(data: bytes) -> None:
    path = Path(tempfile.gettempdir(), "seefood-fuzz-prices.json")
    path.write_bytes(data)
    try:
        money(_WORK, load_prices(path))
    except UsageError:
        return


TARGETS: Final = (
    Target("part", _part, _part_seeds, 8192),
    Target("lease", _lease, _lease_seeds, is_json=True),
    Target("summary", _summary, _summary_seeds, is_json=True),
    Target("prices", _prices, lambda: [default_prices().read_bytes()], is_json=True),
)
