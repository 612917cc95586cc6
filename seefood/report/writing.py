"""Makes the report of a set of rows and writes it beside the results.

Rows are read once, in bounded memory; at most some 150 pictures are fetched for the contact sheets.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from seefood.audit.population import read_fingerprint
from seefood.audit.store import read_audits
from seefood.corrections import Confusion, Correction, read_corrections
from seefood.errors import UsageError
from seefood.records import Row
from seefood.report.aggregation import aggregate_rows
from seefood.report.audited import Audited, audited, newest_done
from seefood.report.changes import watched_changes
from seefood.report.corrected import corrected
from seefood.report.page import build_page
from seefood.report.render import render_page
from seefood.report.thumbnails import Fetch
from seefood.results.files import list_parts
from seefood.results.output_rows import newest_rows, no_rows
from seefood.runs.run_files import list_summaries, run_folder
from seefood.storage import fetch, read, write
from seefood.storage.uris import Location

_NUMBER_FIELDS: Final = (
    "seconds", "classify_seconds", "pictures_per_second", "listed", "skipped_by_ledger", "rows",
    "bytes_read",
)  # fmt: skip
_TYPES: Final[dict[type, tuple[str, ...]]] = {
    dict: ("model", "options", "metrics", "drift"),
    list: ("sources", "labels"),
}
_MAX_NUMBER: Final = 1e18


def make_report(
    summary: Mapping[str, Any],
    rows: Iterable[Row],
    fetch: Fetch,
    corrections: Mapping[tuple[str, str], Correction] | None = None,
    audit: Audited | None = None,
) -> str:
    """Return the HTML page about `rows`.

    `summary` is the latest run's `summary.json`; if it is empty, the page lacks the run's details.
    Several threads call `fetch`, for at most some 150 pictures. For a picture that it fails to
    return, the page has a placeholder with the reason. `corrections` are what people said, by URI
    and entity tag. `audit` is the section about an audit of the rows.
    """
    confusion = Confusion()
    counted = confusion.counting(rows, corrections or {})
    stats = aggregate_rows(counted, watched_changes(summary))
    page = build_page(stats, summary, fetch)
    return render_page(replace(page, corrections=corrected(confusion), audit=audit))


def _write_page(
    output: Location, summary: Mapping[str, Any], digest: str | None, location: Location
) -> None:
    """Write the page of all rows of a model below `output`, with what people said about them."""
    rows = newest_rows(output, digest)
    corrections = read_corrections(output)
    page = make_report(summary, rows, fetch, corrections, _audit_section(output, digest))
    write(location, page.encode("utf-8", "backslashreplace"))


def _audit_section(output: Location, digest: str | None) -> Audited | None:
    audit = newest_done(read_audits(output), digest)
    if audit is None:
        return None
    now = read_fingerprint(output, audit.model_digest)
    return audited(audit, is_current=now == audit.fingerprint)


def write_run_report(output: Location, summary: Mapping[str, Any], folder: Location) -> Location:
    """Write `report.html` into a run's folder and return its location. Atomic, overwrites.

    The page shows the newest row of each picture of the run's model below `output`, including those
    of earlier runs.
    """
    location = folder.child("report.html")
    digest = str((summary.get("model") or {}).get("digest") or "") or None
    _write_page(output, summary, digest, location)
    return location


def rewrite_report(output: Location, target: Location | None = None) -> Location:
    """Write the page of the results below `output` again and return its location.

    That is `target` if given, else beside the latest run's `summary.json`, else in `output` itself.
    Raises `UsageError` if there are no results, or results of several models but no run.
    """
    summary, folder = _latest_run(output) or ({}, output)
    location = target or folder.child("report.html")
    digest = str((summary.get("model") or {}).get("digest") or "") or _only_digest(output)
    _write_page(output, summary, digest, location)
    return location


def _latest_run(output: Location) -> tuple[dict[str, Any], Location] | None:
    """Return the newest `summary.json` below `output` and its folder."""
    summaries = list_summaries(output)
    if not summaries:
        return None
    run_id, location = summaries.popitem()
    try:
        summary = _checked_summary(json.loads(read(location)))
    except (ValueError, FileNotFoundError, RecursionError) as error:
        raise UsageError(
            f"{location.uri} is not the summary of a run ({error}); move it away and try again"
        ) from error
    return summary, run_folder(output, run_id)


def _checked_summary(document: Any) -> dict[str, Any]:
    """Return `document` if every field that the page shows has the right type, else raise."""
    if not isinstance(document, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 (the content is wrong)
    model = document.get("model") or {}
    parts = {**document, **(model if isinstance(model, dict) else {})}
    for kind, names in _TYPES.items():
        for name in names:
            value = parts.get(name)
            if value is not None and not isinstance(value, kind):
                raise ValueError(f"its {name} is {value!r:.40}")
    for name in _NUMBER_FIELDS:
        number = document.get(name, 0)
        if not (isinstance(number, int | float) and 0 <= number <= _MAX_NUMBER):
            raise ValueError(f"its {name} is {number!r:.40}")
    digest = parts.get("digest")
    if digest and not (isinstance(digest, str) and digest.isascii() and digest.isalnum()):
        raise ValueError(f"its digest is {digest!r:.40}")  # it becomes part of a folder's name
    return document


def _only_digest(output: Location) -> str:
    """Return the digest of the model that made the rows below `output`; there must be only one."""
    digests = {part.uri.rpartition("/digest=")[2].partition("/")[0] for part in list_parts(output)}
    if not digests:
        raise no_rows(output)
    if len(digests) > 1:
        raise UsageError(
            f"{output.uri} has rows of the models {', '.join(sorted(digests))} but no run that "
            "tells which one to report; move the others away"
        )
    return digests.pop()
