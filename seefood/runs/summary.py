"""The account of a run: `summary.json`, for machines and for the report."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from seefood.bundle import Bundle
from seefood.records import format_utc
from seefood.results.files import RUNS
from seefood.results.totals import Totals
from seefood.storage import write
from seefood.storage.uris import Location


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the bulk job: what was asked for and how long it took."""

    run_id: str
    """`<UTC time>-<id>`, the name of its folder."""
    sources: Sequence[str]
    output: str
    options: Mapping[str, Any]
    started_at: datetime
    seconds: float
    """From the first validation to the last row."""
    classify_seconds: float
    """From the first listed object to the last classified picture."""
    engine: str


def summarise(run: Run, totals: Totals, bundle: Bundle) -> dict[str, Any]:
    """Return the contract's `summary.json` as a JSON object."""
    rate = totals.rows / run.classify_seconds if run.classify_seconds > 0 else 0.0
    return {
        "run_id": run.run_id,
        "started_at": format_utc(run.started_at),
        "seconds": round(run.seconds, 3),
        "classify_seconds": round(run.classify_seconds, 3),
        "pictures_per_second": round(rate, 1),
        "listed": totals.listed,
        "skipped_by_ledger": totals.skipped,
        "classified_again": totals.again,
        "stopped_early": bool(totals.stopped_early),
        "rows": totals.rows,
        "bytes_read": totals.bytes_read,
        "parts": totals.parts,
        "by_status": dict(totals.by_status.most_common()),
        "by_label": dict(totals.by_label.most_common()),
        "by_error_code": dict(totals.by_error.most_common()),
        "model": {
            "name": bundle.name,
            "digest": bundle.digest,
            "labels": list(bundle.labels),
            "engine": run.engine,
            "metrics": dict(bundle.spec.metrics),
        },
        "sources": list(run.sources),
        "output": run.output,
        "options": dict(run.options),
    }


def run_folder(output: Location, run_id: str) -> Location:
    """Return where a run's summary and report lie."""
    return output.child(f"{RUNS}/{run_id}")


def write_summary(summary: Mapping[str, Any], folder: Location) -> Location:
    """Write `summary.json` into a run's folder and return where it is. Atomic, overwrites."""
    location = folder.child("summary.json")
    text = json.dumps(summary, indent=2, ensure_ascii=False) + "\n"
    # A path's bytes that are not UTF-8 arrive as lone surrogates; this writes JSON's own escapes.
    write(location, text.encode("utf-8", "backslashreplace"))
    return location


def shown(location: Location) -> str:
    """Return a location as a person would type it: a path, from here if below, else the URI."""
    if not location.is_local:
        return location.uri
    path = Path(location.key)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
