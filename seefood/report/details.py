"""The tables at the end of the page: details of the model and of the run."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from seefood.records import Row
from seefood.report.formatting import bytes_text, seconds_text
from seefood.sanitize import printable

Details = Sequence[tuple[str, str]]

_MAX_ROWS: Final = 60
_MAX_ITEMS: Final = 8
_MAX_CHARACTERS: Final = 240


def model_details(summary: Mapping[str, Any], last: Row | None) -> list[tuple[str, str]]:
    """Return details of the model, from the run's summary if there is one, else from a row."""
    model = summary.get("model") or {}
    if not model and last is not None:
        model = {"name": last.model, "digest": last.model_digest, "engine": last.engine}
    labels = model.get("labels") or []
    details = [
        ("name", str(model.get("name", ""))),
        ("digest", str(model.get("digest", ""))),
        ("engine", str(model.get("engine", ""))),
        ("labels", _list_text(labels)),
        *_flat(model.get("metrics") or {}),
    ]
    return _clean(details)


def run_details(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return details of the latest run; empty if there was none."""
    if not summary:
        return []
    details = [
        ("run", str(summary.get("run_id", ""))),
        ("started", str(summary.get("started_at", ""))),
        ("took", seconds_text(float(summary.get("seconds", 0)))),
        ("classifying took", seconds_text(float(summary.get("classify_seconds", 0)))),
        ("listed", f"{int(summary.get('listed', 0)):,}"),
        ("skipped, already had a row", f"{int(summary.get('skipped_by_ledger', 0)):,}"),
        ("rows written", f"{int(summary.get('rows', 0)):,}"),
        ("read", bytes_text(int(summary.get("bytes_read", 0)))),
        ("sources", _list_text(summary.get("sources") or [])),
        ("output", str(summary.get("output", ""))),
        *_flat(summary.get("options") or {}),
    ]
    return _clean(details)


def _flat(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield nested values as `outer · inner`, underscores as spaces."""
    for key, value in values.items():
        name = f"{path} · {key}" if path else str(key)
        if isinstance(value, Mapping):
            yield from _flat(value, name)
        else:
            yield name.replace("_", " "), _value_text(value)


def _value_text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _list_text(value)
    return str(value)


def _list_text(values: Sequence[Any]) -> str:
    if not values:
        return "none"
    shown = ", ".join(_value_text(value) for value in values[:_MAX_ITEMS])
    more = len(values) - _MAX_ITEMS
    return f"{shown} and {more:,} more" if more > 0 else shown


def _clean(details: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [
        (printable(name), printable(text[:_MAX_CHARACTERS] + "…" * (len(text) > _MAX_CHARACTERS)))
        for name, text in details[:_MAX_ROWS]
        if text
    ]
