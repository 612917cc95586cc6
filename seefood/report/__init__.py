"""The report: one self-contained page about the results of a model.

It opens from disk, asks the network for nothing and runs no script. Rows are read once, in bounded
memory; a few pictures are fetched for its contact sheets.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from seefood.errors import UsageError
from seefood.records import Row
from seefood.report.page import build_page
from seefood.report.previews import Fetch
from seefood.report.render import render_page
from seefood.report.tally import tally_rows
from seefood.results.files import RUNS, list_parts, read_rows
from seefood.storage import fetch, open_store, read, write
from seefood.storage.uris import Location, parse_location

_NUMBERS: Final = (
    "seconds", "classify_seconds", "pictures_per_second", "listed", "skipped_by_ledger", "rows",
    "bytes_read",
)  # fmt: skip
_KINDS: Final[dict[type, tuple[str, ...]]] = {
    dict: ("model", "options", "metrics"),
    list: ("sources", "labels"),
}
_LARGEST: Final = 1e18


def make_report(summary: Mapping[str, Any], rows: Iterable[Row], fetch: Fetch) -> str:
    """Return the page, HTML, of `rows`.

    `summary` is the latest run's `summary.json`; an empty one leaves out what only a run knows.
    `fetch` is called for at most some 150 pictures, from several threads; a picture that it cannot
    give shows as a placeholder with the reason.
    """
    return render_page(build_page(tally_rows(rows), summary, fetch))


def write_run_report(output: Location, summary: Mapping[str, Any], folder: Location) -> Location:
    """Write `report.html` into a run's folder and return where it is. Atomic, overwrites.

    The page shows all rows below `output` that the run's model made, of earlier runs too.
    """
    location = folder.child("report.html")
    digest = str((summary.get("model") or {}).get("digest") or "") or None
    page = make_report(summary, read_rows(output, digest), fetch)
    write(location, page.encode("utf-8", "backslashreplace"))
    return location


def rewrite_report(output: Location, target: Location | None = None) -> Location:
    """Write the page of the results below `output` again and return where it is.

    It goes to `target`, else beside the latest run's `summary.json`, else to `output` itself.
    Raises `UsageError` if there are no results, or of several models and no run says which.
    """
    found = _latest_run(output)
    summary, folder = found if found is not None else ({}, output)
    location = target or folder.child("report.html")
    digest = str((summary.get("model") or {}).get("digest") or "") or _only_digest(output)
    page = make_report(summary, read_rows(output, digest), fetch)
    write(location, page.encode("utf-8", "backslashreplace"))
    return location


def _latest_run(output: Location) -> tuple[dict[str, Any], Location] | None:
    """Return the newest `summary.json` below `output` and its folder; names begin with the time."""
    runs = output.child(f"{RUNS}/")
    try:
        found = [ref.uri for ref in open_store(runs.root).list(runs.key)]
    except UsageError:
        return None
    summaries = sorted(uri for uri in found if uri.endswith("/summary.json"))
    if not summaries:
        return None
    location = parse_location(summaries[-1])
    try:
        summary = _account(json.loads(read(location)))
    except (ValueError, FileNotFoundError, RecursionError) as error:
        raise UsageError(
            f"{location.uri} is no account of a run ({error}); move it away and try again"
        ) from error
    return summary, Location(location.root, location.key.rpartition("/")[0])


def _account(document: Any) -> dict[str, Any]:
    """Return `document` if all that the page shows of it is of the right kind, else raise."""
    if not isinstance(document, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 (the content is wrong)
    model = document.get("model") or {}
    parts = {**document, **(model if isinstance(model, dict) else {})}
    for kind, names in _KINDS.items():
        for name in names:
            value = parts.get(name)
            if value is not None and not isinstance(value, kind):
                raise ValueError(f"its {name} is {value!r:.40}")
    for name in _NUMBERS:
        number = document.get(name, 0)
        if not (isinstance(number, int | float) and 0 <= number <= _LARGEST):
            raise ValueError(f"its {name} is {number!r:.40}")
    digest = parts.get("digest")
    if digest and not (isinstance(digest, str) and digest.isascii() and digest.isalnum()):
        raise ValueError(f"its digest is {digest!r:.40}")  # it is part of a folder's name
    return document


def _only_digest(output: Location) -> str:
    """Return the digest of the one model whose rows lie below `output`."""
    digests = {part.uri.rpartition("/digest=")[2].partition("/")[0] for part in list_parts(output)}
    if not digests:
        raise UsageError(
            f"there are no results below {output.uri}; name the folder that was given to "
            "`seefood classify --output`"
        )
    if len(digests) > 1:
        raise UsageError(
            f"{output.uri} has rows of the models {', '.join(sorted(digests))} and no run that "
            "says which is meant; move the others away"
        )
    return digests.pop()


__all__ = ["Fetch", "make_report", "rewrite_report", "write_run_report"]
