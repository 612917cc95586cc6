"""`summary.json`: the counts, the speed and the options of a finished run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from seefood.bundle import Bundle
from seefood.bundle.variant import variant_as_json
from seefood.engines.devices import CPU
from seefood.records import format_utc
from seefood.results.totals import Totals
from seefood.runs.run_files import SUMMARY
from seefood.runs.run_spec import RunSpec
from seefood.sanitize import redacted, redacted_arguments
from seefood.storage import write
from seefood.storage.uris import Location


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run and how long it took."""

    run: RunSpec
    started_at: datetime
    seconds: float
    """From the first validation to the last row."""
    classify_seconds: float
    """From the first listed object to the last row."""
    engine: str
    """The engine that ran; `auto` is resolved."""
    device: str = CPU
    """What it computed on: `cpu`, or `cuda (NVIDIA L4)`; on a cluster, the launcher's."""
    beam_arguments: Sequence[str] = ()


def summarise(finished: FinishedRun, totals: Totals, bundle: Bundle) -> dict[str, Any]:
    """Return the content of `summary.json`; sources and arguments without secrets."""
    seconds = finished.classify_seconds
    rate = totals.rows / seconds if seconds > 0 else 0.0
    return {
        "run_id": finished.run.run_id,
        "started_at": format_utc(finished.started_at),
        "seconds": round(finished.seconds, 3),
        "classify_seconds": round(seconds, 3),
        "pictures_per_second": round(rate, 1),
        "listed": totals.listed,
        "skipped_by_ledger": totals.skipped,
        "classified_again": totals.replaced,
        "stopped_early": bool(totals.stopped_early),
        "rows": totals.rows,
        "bytes_read": totals.bytes_read,
        "parts": totals.parts,
        "by_status": dict(totals.by_status.most_common()),
        "by_label": dict(totals.by_label.most_common()),
        "by_error_code": dict(totals.by_error.most_common()),
        "left_out": {redacted(text): count for text, count in totals.left_out.items()},
        "remarks": {redacted(text): count for text, count in totals.remarks.items()},
        "model": {
            "name": bundle.name,
            "digest": bundle.digest,
            "labels": list(bundle.labels),
            "engine": finished.engine,
            "device": finished.device,
            "metrics": dict(bundle.spec.metrics),
            **({"variant": variant_as_json(bundle.variant)} if bundle.variant else {}),
        },
        "sources": [redacted(source.text) for source in finished.run.sources],
        "output": finished.run.output.uri,
        "options": _options(finished),
        "fingerprint": totals.fingerprint.as_json(),
    }


def _options(finished: FinishedRun) -> dict[str, Any]:
    run, options = finished.run, finished.run.options
    return {
        "format": options.file_format,
        "engine": options.engine,
        "top_k": options.classify.top_k,
        "limits": asdict(options.classify.limits),
        "salvage": options.classify.salvage,
        "limit": options.limit,
        "shard": None if run.shard is None else asdict(run.shard),
        "selection": asdict(options.selection),
        "max_failure_ratio": options.max_failure_ratio,
        "chunk_pictures": options.chunk.pictures,
        "force": options.force,
        "beam": redacted_arguments(finished.beam_arguments),
    }


def write_summary(summary: Mapping[str, Any], folder: Location) -> Location:
    """Write `summary.json` into a run's folder and return its location. Atomic, overwrites."""
    location = folder.child(SUMMARY)
    text = json.dumps(summary, indent=2, ensure_ascii=False) + "\n"
    # Bytes of a path that are not UTF-8 are lone surrogates; this writes them as JSON's escapes.
    write(location, text.encode("utf-8", "backslashreplace"))
    return location


def rate_text(summary: Mapping[str, Any]) -> str:
    """Return the pictures a second of a whole run, from start to end: `240`, or `1.6` below 10."""
    seconds = float(summary.get("seconds", 0))
    rate = int(summary.get("rows", 0)) / seconds if seconds > 0 else 0.0
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"


def shown(location: Location) -> str:
    """Return a location as a user would type it: a path, relative if it is below here, or a URI."""
    if not location.is_local:
        return location.uri
    path = Path(location.key)
    try:
        here = Path.cwd()
    except OSError:  # it was deleted
        return str(path)
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
