"""From a tally and a run's summary to everything that the page shows, in the order it shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from seefood.records import Row, Status
from seefood.report.charts import Bar, Histogram, label_bar, score_histogram
from seefood.report.facts import Facts, model_facts, run_facts
from seefood.report.previews import Fetch, Preview, make_previews
from seefood.report.tally import LabelTally, Tally
from seefood.report.words import (
    ERRORS,
    bytes_text,
    count_text,
    score_text,
    seconds_text,
    share_text,
    short_name,
    shown_uri,
)
from seefood.sanitize import printable

_MAX_LABELS: Final = 10
_MAX_IN_HEADLINE: Final = 4
_MAX_PREVIEWS: Final = 150
_ONE_LINE: Final = 6  # of a contact sheet, on a laptop
_MAX_REASONS: Final = 5
_TONES: Final = 6
_OWN_TONES: Final = {"hotdog": "hotdog", "not_hotdog": "not-hotdog"}
"""The verdicts from television have their colours; other labels take turns."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of a contact sheet."""

    name: str
    """The last part of its URI."""
    uri: str
    link: str
    """A `file:` URI that a click opens; empty for pictures in buckets."""
    label: str
    score: str
    tone: str
    unsure: bool
    preview: Preview


@dataclass(frozen=True, slots=True)
class LabelSection:
    """One label: how often, how sure, and what it looks like."""

    label: str
    anchor: str
    tone: str
    count: str
    share: str
    unsure: str
    histogram: Histogram
    tiles: Sequence[Tile]


@dataclass(frozen=True, slots=True)
class FailureSection:
    """One error code: how often, what it means, the reasons and examples."""

    code: str
    meaning: str
    count: str
    reasons: Sequence[tuple[str, str]]
    """Messages with their counts, the most frequent first."""
    examples: Sequence[tuple[str, str]]
    """Short names and whole URIs."""


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the template shows."""

    when: str
    total: str
    """How many pictures; the headline goes on with the outcomes."""
    outcomes: Sequence[str]
    lead: str
    figures: Sequence[tuple[str, str, str]]
    """Name, value, tone."""
    bar: Bar
    labels: Sequence[LabelSection]
    other_labels: str
    least_certain: Sequence[Tile]
    failures: Sequence[FailureSection]
    model: Facts
    run: Facts


def build_page(tally: Tally, summary: Mapping[str, Any], fetch: Fetch) -> Page:
    """Return the page of `tally`; `summary` is the latest run's `summary.json`, or is empty."""
    ranked = sorted(tally.labels.items(), key=lambda item: (-item[1].count, item[0]))
    shown, rest = ranked[:_MAX_LABELS], ranked[_MAX_LABELS:]
    tones = _tones([label for label, _ in shown])
    doubtful = (tally.rows - tally.failed) // 4 // _ONE_LINE * _ONE_LINE
    least = tally.least_certain.rows()[: max(_ONE_LINE, doubtful)]
    space = (_MAX_PREVIEWS - len(least)) // max(1, len(shown))
    chosen = {label: _sample(of, max(_ONE_LINE, space)) for label, of in shown}
    previews = make_previews([*least, *(row for rows in chosen.values() for row in rows)], fetch)
    lowest = min((_first_bin(of) for _, of in ranked), default=0)

    def tile(row: Row) -> Tile:
        label = row.label or ""
        return Tile(
            name=short_name(row.uri),
            uri=shown_uri(row.uri),
            link=row.uri if row.uri.startswith("file:///") else "",
            label=printable(label),
            score=score_text(row.score or 0.0),
            tone=tones.get(label, "other"),
            unsure=row.status == Status.UNSURE,
            preview=previews[row.uri],
        )

    sections = [
        LabelSection(
            label=printable(label),
            anchor=f"label-{number}",
            tone=tones[label],
            count=count_text(of.count, "picture"),
            share=share_text(of.count, tally.rows),
            unsure=f"{of.unsure:,} unsure" if of.unsure else "",
            histogram=score_histogram(of.bins, lowest),
            tiles=[tile(row) for row in chosen[label]],
        )
        for number, (label, of) in enumerate(shown, 1)
    ]
    others = sum(of.count for _, of in rest)
    counts = [(printable(label), of.count, tones[label]) for label, of in shown]
    return Page(
        total=count_text(tally.rows, "picture") if tally.rows else "No pictures yet",
        outcomes=_outcomes(tally, ranked),
        when=f"{tally.last.classified_at:%d %B %Y, %H:%M} UTC" if tally.last else "no pictures yet",
        lead=_lead(tally, summary),
        figures=_figures(tally, summary),
        bar=label_bar(counts, others, tally.failed),
        labels=sections,
        other_labels=f"{count_text(others, 'picture')} of {len(rest):,} other labels"
        if rest
        else "",
        least_certain=[tile(row) for row in least],
        failures=_failures(tally),
        model=model_facts(summary, tally.last),
        run=run_facts(summary),
    )


def _tones(labels: Sequence[str]) -> dict[str, str]:
    others = [label for label in labels if label not in _OWN_TONES]
    turns = {label: f"tone-{number % _TONES}" for number, label in enumerate(others)}
    return {label: _OWN_TONES.get(label) or turns[label] for label in labels}


def _sample(label: LabelTally, most: int) -> list[Row]:
    """Return at most `most` pictures of a label, the surest first."""
    rows = label.samples.rows()[:most]
    return sorted(rows, key=lambda row: -(row.score or 0))


def _first_bin(label: LabelTally) -> int:
    return next((number for number, count in enumerate(label.bins) if count), len(label.bins))


def _outcomes(tally: Tally, ranked: Sequence[tuple[str, LabelTally]]) -> list[str]:
    """Return what became of the pictures, each counted once: `28 hotdog` and so on."""
    few = len(ranked) <= _MAX_IN_HEADLINE
    sure = [(printable(label), of.count - of.unsure) for label, of in ranked]
    parts = [f"{count:,} {label}" for label, count in sure[: _MAX_IN_HEADLINE - (not few)] if count]
    if not few:
        rest = sum(count for _, count in sure[_MAX_IN_HEADLINE - 1 :])
        parts.append(f"{rest:,} of {len(ranked) - _MAX_IN_HEADLINE + 1:,} other labels")
    parts += [f"{tally.unsure:,} unsure"] if tally.unsure else []
    parts += [f"{tally.failed:,} failed"] if tally.failed else []
    return parts


def _lead(tally: Tally, summary: Mapping[str, Any]) -> str:
    """Return what the latest run took, and how much of the page it made."""
    if not summary:
        return "Put together from the rows; no run of the bulk job left its account here."
    rows, skipped = int(summary.get("rows", 0)), int(summary.get("skipped_by_ledger", 0))
    took = seconds_text(float(summary.get("seconds", 0)))
    rate = f"{float(summary.get('pictures_per_second', 0)):,.0f} pictures a second"
    if rows == tally.rows:
        return f"Done in {took}, classifying {rate}."
    if rows == 0:
        return f"The latest run found nothing new: all {skipped:,} pictures had their rows already."
    had = f", and skipped {skipped:,} that had their rows already" if skipped else ""
    return f"The latest run added {rows:,} of them in {took}, classifying {rate}{had}."


def _figures(tally: Tally, summary: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    classified = tally.rows - tally.failed
    figures = [
        ("pictures", f"{tally.rows:,}", ""),
        ("labelled", share_text(classified, tally.rows), ""),
        ("unsure", f"{tally.unsure:,}", "unsure" if tally.unsure else ""),
        ("failed", f"{tally.failed:,}", "failed" if tally.failed else ""),
        ("read", bytes_text(tally.bytes_read), ""),
    ]
    if summary.get("rows"):
        rate = float(summary.get("pictures_per_second", 0))
        figures.append(("pictures a second", f"{rate:,.0f}", ""))
    return figures


def _failures(tally: Tally) -> list[FailureSection]:
    ranked = sorted(tally.failures.items(), key=lambda item: (-item[1].count, item[0]))
    return [
        FailureSection(
            code=printable(code),
            meaning=ERRORS.get(code, "The rows say no more than this code."),
            count=count_text(of.count, "picture"),
            reasons=[
                (printable(reason), f"{count:,}")
                for reason, count in of.reasons.most_common(_MAX_REASONS)
            ],
            examples=[(short_name(row.uri), shown_uri(row.uri)) for row in of.examples.rows()],
        )
        for code, of in ranked
    ]
