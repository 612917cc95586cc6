"""Everything that the page shows, computed from the statistics and a run's summary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from seefood.pages import Tile
from seefood.records import Row, Status
from seefood.report.aggregation import LabelStatistics, RowStatistics
from seefood.report.audited import Audited
from seefood.report.changes import Changes, changes_of
from seefood.report.charts import Bar, Histogram, label_bar, score_histogram
from seefood.report.corrected import Corrected
from seefood.report.details import Details, model_details, run_details
from seefood.report.formatting import (
    ERROR_MEANINGS,
    bytes_text,
    count_text,
    score_text,
    seconds_text,
    share_text,
    short_name,
    shown_uri,
)
from seefood.report.queries import rows_command
from seefood.report.thumbnails import Fetch, make_thumbnails
from seefood.runs.summary import rate_text
from seefood.sanitize import printable

_MAX_LABELS: Final = 10
_MAX_IN_HEADLINE: Final = 4
_MAX_PREVIEWS: Final = 150
_ONE_LINE: Final = 6  # pictures in a line of a contact sheet on a laptop
_MAX_REASONS: Final = 5
_TONES: Final = 6
_OWN_TONES: Final = {"hotdog": "hotdog", "not_hotdog": "not-hotdog"}
"""The labels of the built-in model have fixed colors; other labels share the rest in turn."""


@dataclass(frozen=True, slots=True)
class LabelSection:
    """The section about one label."""

    label: str
    anchor: str
    tone: str
    count: str
    share: str
    unsure: str
    histogram: Histogram
    tiles: Sequence[Tile]
    command: str
    """Lists all rows of the label; may be empty."""


@dataclass(frozen=True, slots=True)
class FailureSection:
    """The section about one error code."""

    code: str
    meaning: str
    count: str
    reasons: Sequence[tuple[str, str]]
    """Messages with their counts, the most frequent first."""
    examples: Sequence[tuple[str, str]]
    """Short names and whole URIs."""


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the template shows."""

    when: str
    total: str
    """The number of pictures, with which the headline begins."""
    outcomes: Sequence[str]
    lead: str
    figures: Sequence[tuple[str, str, str]]
    """Name, value, tone."""
    bar: Bar
    labels: Sequence[LabelSection]
    other_labels: str
    least_certain: Sequence[Tile]
    changes: Changes | None
    unsure: str
    """How many pictures are unsure; empty for none."""
    unsure_command: str
    """Lists all unsure rows; may be empty."""
    failures: Sequence[FailureSection]
    model: Details
    run: Details
    corrections: Corrected | None = None
    audit: Audited | None = None


def build_page(stats: RowStatistics, summary: Mapping[str, Any], fetch: Fetch) -> Page:
    """Return the page; `summary` is the latest run's `summary.json`, or empty."""
    ranked = sorted(stats.labels.items(), key=lambda item: (-item[1].count, item[0]))
    shown, rest = ranked[:_MAX_LABELS], ranked[_MAX_LABELS:]
    tones = _tones([label for label, _ in shown])
    doubtful = (stats.rows - stats.failed) // 4 // _ONE_LINE * _ONE_LINE
    least = stats.least_certain.rows()[: max(_ONE_LINE, doubtful)]
    novel = stats.novel.rows()[: 2 * _ONE_LINE]
    examples = [kept.rows()[:_ONE_LINE] for _, kept in stats.watched]
    changed = [*novel, *(row for rows in examples for row in rows)]
    space = (_MAX_PREVIEWS - len(least) - len(changed)) // max(1, len(shown))
    chosen = {label: _sample(item, max(_ONE_LINE, space)) for label, item in shown}
    pictures = [*least, *changed, *(row for rows in chosen.values() for row in rows)]
    thumbnails = make_thumbnails((row.ref for row in pictures), fetch)
    lowest = min((_first_bin(item) for _, item in ranked), default=0)

    def tile(row: Row) -> Tile:
        label = row.label or ""
        return Tile(
            name=short_name(row.uri),
            uri=shown_uri(row.uri),
            link=row.uri if row.uri.startswith("file:///") else "",
            label=printable(", ".join(name for name, _ in row.scored_labels)),
            score=score_text(row.score or 0.0),
            tone=tones.get(label, "other"),
            unsure=row.status == Status.UNSURE,
            thumbnail=thumbnails[row.uri],
        )

    sections = [
        LabelSection(
            label=printable(label),
            anchor=f"label-{number}",
            tone=tones[label],
            count=count_text(item.sure, "picture"),
            share=share_text(item.sure, stats.rows),
            unsure=f"{item.unsure:,} more unsure" if item.unsure else "",
            histogram=score_histogram(item.bins, lowest),
            tiles=[tile(row) for row in chosen[label]],
            command=rows_command(summary, label),
        )
        for number, (label, item) in enumerate(shown, 1)
    ]
    others = sum(item.count for _, item in rest)
    sure_others = sum(item.sure for _, item in rest)
    counts = [(printable(label), item.sure, tones[label]) for label, item in shown]
    return Page(
        total=count_text(stats.rows, "picture") if stats.rows else "No pictures yet",
        outcomes=_outcomes(stats, ranked),
        when=f"{stats.last.classified_at:%d %B %Y, %H:%M} UTC" if stats.last else "no pictures yet",
        lead=_lead(stats, summary),
        figures=_figures(stats, summary),
        bar=label_bar(counts, sure_others, stats.unsure, stats.failed),
        labels=sections,
        other_labels=f"{count_text(others, 'picture')} of {len(rest):,} other labels"
        if rest
        else "",
        least_certain=[tile(row) for row in least],
        changes=changes_of(summary, examples, novel, tile),
        unsure=count_text(stats.unsure, "unsure picture") if stats.unsure else "",
        unsure_command=rows_command(summary, None, "unsure"),
        failures=_failures(stats),
        model=model_details(summary, stats.last),
        run=run_details(summary),
    )


def _tones(labels: Sequence[str]) -> dict[str, str]:
    others = [label for label in labels if label not in _OWN_TONES]
    turns = {label: f"tone-{number % _TONES}" for number, label in enumerate(others)}
    return {label: _OWN_TONES.get(label) or turns[label] for label in labels}


def _sample(label: LabelStatistics, limit: int) -> list[Row]:
    """Return at most `limit` pictures of a label, the highest scores first."""
    rows = label.samples.rows()[:limit]
    return sorted(rows, key=lambda row: -(row.score or 0))


def _first_bin(label: LabelStatistics) -> int:
    return next((number for number, count in enumerate(label.bins) if count), len(label.bins))


def _outcomes(stats: RowStatistics, ranked: Sequence[tuple[str, LabelStatistics]]) -> list[str]:
    """Return the outcomes with their counts, such as `28 hotdog`; each picture counts once."""
    few = len(ranked) <= _MAX_IN_HEADLINE
    sure = [(printable(label), item.sure) for label, item in ranked]
    parts = [f"{count:,} {label}" for label, count in sure[: _MAX_IN_HEADLINE - (not few)] if count]
    if not few:
        rest = sum(count for _, count in sure[_MAX_IN_HEADLINE - 1 :])
        parts.append(f"{rest:,} of {len(ranked) - _MAX_IN_HEADLINE + 1:,} other labels")
    parts += [f"{stats.unsure:,} unsure"] if stats.unsure else []
    parts += [f"{stats.failed:,} failed"] if stats.failed else []
    return parts


def _lead(stats: RowStatistics, summary: Mapping[str, Any]) -> str:
    """Return how long the latest run took, and how many of the rows it added."""
    if not summary:
        return "Made from the rows alone; there is no summary of a batch job here."
    rows, skipped = int(summary.get("rows", 0)), int(summary.get("skipped_by_ledger", 0))
    took = seconds_text(float(summary.get("seconds", 0)))
    rate = f"{rate_text(summary)} pictures a second"
    if rows == stats.rows:
        return f"Done in {took}: {rate}."
    if rows == 0:
        return f"The latest run classified nothing new: all {skipped:,} pictures already had rows."
    had = f", and skipped {skipped:,} that already had rows" if skipped else ""
    return f"The latest run added {rows:,} of them in {took}, {rate}{had}."


def _figures(stats: RowStatistics, summary: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    labelled = stats.rows - stats.failed - stats.unsure
    figures = [
        ("pictures", f"{stats.rows:,}", ""),
        ("labelled", share_text(labelled, stats.rows), ""),
        ("unsure", f"{stats.unsure:,}", "unsure" if stats.unsure else ""),
        ("failed", f"{stats.failed:,}", "failed" if stats.failed else ""),
        ("read", bytes_text(stats.bytes_read), ""),
    ]
    if summary.get("rows"):
        figures.append(("pictures a second", rate_text(summary), ""))
    return figures


def _failures(stats: RowStatistics) -> list[FailureSection]:
    ranked = sorted(stats.failures.items(), key=lambda item: (-item[1].count, item[0]))
    return [
        FailureSection(
            code=printable(code),
            meaning=ERROR_MEANINGS.get(code, "There is no description of this code."),
            count=count_text(item.count, "picture"),
            reasons=[
                (printable(reason), f"{count:,}")
                for reason, count in item.reasons.most_common(_MAX_REASONS)
            ],
            examples=[(short_name(row.uri), shown_uri(row.uri)) for row in item.examples.rows()],
        )
        for code, item in ranked
    ]
