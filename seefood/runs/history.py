"""The fingerprints of earlier runs, read from their summaries."""

import json
from collections.abc import Iterator
from typing import Any, Final

from seefood.drift.fingerprint import Fingerprint
from seefood.drift.verdict import LAST_RUNS
from seefood.errors import JobError
from seefood.runs.run_files import list_summaries
from seefood.storage import read
from seefood.storage.uris import Location

_MAX_READ: Final = 30
"""Summaries that are read at most: runs that classified nothing say nothing."""


def earlier_fingerprints(
    output: Location, digest: str, before: str | None = None
) -> dict[str, Fingerprint]:
    """Return the fingerprints of the model's last runs below `output` by their ids, oldest first.

    `before` is the id of a run: only earlier ones are returned. Runs without pictures, of another
    model, or whose summary cannot be read, are left out.
    """
    found: dict[str, Fingerprint] = {}
    for run_id, summary in _summaries(output, before):
        if (summary.get("model") or {}).get("digest") != digest:
            continue
        try:
            fingerprint = Fingerprint.from_json(summary.get("fingerprint"))
        except ValueError:  # of a release without fingerprints, or of another tool
            continue
        if fingerprint is not None and fingerprint.rows:
            found[run_id] = fingerprint
        if len(found) == LAST_RUNS:
            break
    return dict(reversed(found.items()))


def _summaries(output: Location, before: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the ids and the summaries of runs, the latest first: ids begin with the time."""
    earlier = [
        (run_id, location)
        for run_id, location in list_summaries(output).items()
        if before is None or run_id < before
    ]
    for run_id, location in reversed(earlier[-_MAX_READ:]):
        try:
            summary = json.loads(read(location))
        except (ValueError, RecursionError, FileNotFoundError, JobError):
            continue
        if isinstance(summary, dict):
            yield run_id, summary
