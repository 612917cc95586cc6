"""The commands that list all rows of a label, of which the page shows a sample."""

import shlex
from collections.abc import Mapping
from typing import Any, Final

from seefood.errors import UsageError
from seefood.sanitize import printable, redacted
from seefood.storage.uris import parse_location

_READERS: Final = {
    "parquet": "read_parquet({}, union_by_name=true)",
    "jsonl": "read_json({}, union_by_name=true)",
    "csv": "read_csv({}, union_by_name=true)",
}


def rows_command(summary: Mapping[str, Any], label: str | None, status: str | None = None) -> str:
    """Return a DuckDB command that lists the rows of a label or a status, lowest scores first.

    Empty if the summary does not say where the rows are.
    """
    file_format = (summary.get("options") or {}).get("format", "parquet")
    digest = str((summary.get("model") or {}).get("digest", ""))
    try:
        output = parse_location(str(summary.get("output") or ""))
    except UsageError:
        return ""
    if file_format not in _READERS or not digest:
        return ""
    place = output.key if output.is_local else redacted(output.uri)
    files = f"{place.rstrip('/')}/results/**/*.{file_format}"
    conditions = [f"model_digest = {_quoted(digest)}"]
    conditions += [f"label = {_quoted(label)}"] if label is not None else []
    conditions += [f"status = {_quoted(status)}"] if status is not None else []
    query = " ".join(
        (
            "select uri, label, score, status from",
            _READERS[file_format].format(_quoted(files)),
            f"where {' and '.join(conditions)} order by score",
        )
    )
    # A label may have control characters: a command with escapes in their place finds no row.
    return f"duckdb -csv -c {shlex.quote(query)}" if query == printable(query) else ""


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
