"""The report's section "What changed": what `summary.json` states as `drift`, with pictures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from seefood.drift.fingerprint import SCORES
from seefood.drift.measures import CATEGORIES, MEASURES, SCORE
from seefood.pages import Tile
from seefood.records import Row, format_utc
from seefood.sanitize import printable

_MAX_CHANGES: Final = 6
_METHOD: Final = (
    "from the scores, by how often the model was right at such scores on pictures that "
    "it was not trained on, and from how frequent each label is now; only an audit knows"
)


@dataclass(frozen=True, slots=True)
class ChangeSection:
    """One change in words, with pictures that show it."""

    sentence: str
    tiles: Sequence[Tile]


@dataclass(frozen=True, slots=True)
class Changes:
    """What the section says."""

    lead: str
    changes: Sequence[ChangeSection]
    since_training: Sequence[str]
    accuracy: str
    novel: str
    novel_tiles: Sequence[Tile]


def watched_changes(summary: Mapping[str, Any]) -> list[Callable[[Row], bool]]:
    """Return for each change of the run whether a row is an example of it."""
    drift = summary.get("drift")
    changes = drift.get("changes") if isinstance(drift, dict) else None
    since = str(summary.get("started_at") or "")
    shown = (changes if isinstance(changes, list) else [])[:_MAX_CHANGES]
    return [_example_of(change, since) for change in shown if isinstance(change, dict)]


def changes_of(
    summary: Mapping[str, Any],
    examples: Sequence[Sequence[Row]],
    novel: Sequence[Row],
    tile: Callable[[Row], Tile],
) -> Changes | None:
    """Return the section; None for a run that was not compared with anything."""
    drift = summary.get("drift")
    if not isinstance(drift, dict) or not isinstance(drift.get("compared_with"), dict):
        return None
    compared = drift["compared_with"]
    reasons = [printable(str(each)) for each in drift.get("reasons") or ()]
    against = _against(compared)
    if not against and not novel:
        return None
    sections = [
        ChangeSection(reason, [tile(row) for row in rows])
        for reason, rows in zip(reasons, (*examples, *([()] * len(reasons))), strict=False)
    ]
    told = [printable(str(each)) for each in drift.get("since_training") or ()]
    return Changes(
        lead=_lead(against, len(reasons)),
        changes=sections,
        since_training=[each for each in told if each not in reasons],
        accuracy=_accuracy(drift.get("accuracy_estimate")),
        novel=f"{int(drift.get('novel') or 0):,}",
        novel_tiles=[tile(row) for row in novel],
    )


def _example_of(change: Mapping[str, Any], since: str) -> Callable[[Row], bool]:
    name, edge = str(change.get("name")), change.get("edge")
    is_above = bool(change.get("is_above"))

    def is_example(row: Row) -> bool:
        if format_utc(row.classified_at) < since:
            return False
        if isinstance(edge, str):
            return name in CATEGORIES and CATEGORIES[name].of(row) == edge
        if name.startswith(SCORES) and row.label != name.removeprefix(SCORES):
            return False
        measure = MEASURES.get(SCORE if name.startswith(SCORES) else name)
        value = None if measure is None else measure.of(row)
        return value is not None and edge is not None and (value >= edge) == is_above

    return is_example


def _against(compared: Mapping[str, Any]) -> str:
    runs = compared.get("runs")
    if compared.get("pictures") and isinstance(runs, list):
        last = "the run before" if len(runs) == 1 else f"the {len(runs)} runs before"
        return f"{last} ({int(compared['pictures']):,} pictures)"
    if compared.get("training_pictures"):
        return f"the {int(compared['training_pictures']):,} training pictures"
    return ""


def _lead(against: str, count: int) -> str:
    if not against:
        return "There is nothing yet to compare this run with."
    if not count:
        return f"As a whole, the run's pictures do not differ from {against} by more than chance."
    return f"Compared with {against}, by more than chance:"


def _accuracy(estimate: Any) -> str:
    if not isinstance(estimate, dict):
        return ""
    values = [estimate.get(name) for name in ("estimate", "low", "high")]
    if not all(isinstance(value, int | float) for value in values):
        return ""
    middle, low, high = values
    return f"Estimate: {middle:.1%} ({low:.1%} to {high:.1%}), {_METHOD}."
