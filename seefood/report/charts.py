"""The geometry of the page's charts, which the templates draw as inline SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from seefood.report.formatting import count_text, share_text

BAR_WIDTH: Final = 1000.0
HISTOGRAM_WIDTH: Final = 240.0
HISTOGRAM_HEIGHT: Final = 56.0
_MIN_HEIGHT: Final = 1.5
_MIN_WIDTH: Final = 4.0


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A bar in the chart's own units, with the text of its tooltip."""

    x: float
    y: float
    width: float
    height: float
    tone: str
    text: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar divided by label."""

    parts: Sequence[Rectangle]
    legend: Sequence[tuple[str, str, str, str]]
    """Label, tone, count, share."""
    text: str
    """The chart as text, for screen readers."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """The number of pictures for each range of scores."""

    bars: Sequence[Rectangle]
    low: str
    """The score at the left edge."""
    text: str


def label_bar(counts: Sequence[tuple[str, int, str]], others: int, unsure: int, failed: int) -> Bar:
    """Return the bar of `counts`, (label, count, tone) each, then other labels and the rest.

    `counts` and `others` are without the unsure pictures.
    """
    items = [item for item in counts if item[1]]
    items += [("other labels", others, "other")] if others else []
    items += [("unsure", unsure, "unsure")] if unsure else []
    items += [("failed", failed, "failed")] if failed else []
    total = sum(count for _, count, _ in items)
    widths = [max(_MIN_WIDTH, BAR_WIDTH * count / total) if total else 0.0 for _, count, _ in items]
    scale = BAR_WIDTH / sum(widths) if widths else 1.0
    parts, left = [], 0.0
    for (label, count, tone), width in zip(items, widths, strict=True):
        text = f"{label}: {count_text(count, 'picture')}"
        parts.append(Rectangle(left, 0.0, round(width * scale, 2), 1.0, tone, text))
        left = round(left + width * scale, 2)
    return Bar(
        parts,
        [(label, tone, f"{count:,}", share_text(count, total)) for label, count, tone in items],
        "; ".join(f"{label} {share_text(count, total)}" for label, count, _ in items),
    )


def score_histogram(bins: Sequence[int], first: int) -> Histogram:
    """Return the histogram of `bins` over [0, 1].

    Bins before `first` are left out, but at most half of all bins.
    """
    step = 1 / len(bins)
    start = min(first, len(bins) // 2) // 4 * 4
    shown, highest = bins[start:], max(bins, default=0)
    width = HISTOGRAM_WIDTH / len(shown)
    bars = []
    for number, count in enumerate(shown):
        if not count:
            continue
        height = max(_MIN_HEIGHT, HISTOGRAM_HEIGHT * count / highest)
        low = (start + number) * step
        bars.append(
            Rectangle(
                x=round(number * width + 0.5, 2),
                y=round(HISTOGRAM_HEIGHT - height, 2),
                width=round(width - 1, 2),
                height=round(height, 2),
                tone="",
                text=f"{low:.1%} to {low + step:.1%}: {count_text(count, 'picture')}",
            )
        )
    sure = sum(count for number, count in enumerate(bins) if number * step >= 0.9)
    return Histogram(
        bars,
        f"{start * step:.0%}",
        f"Scores: {share_text(sure, sum(bins))} of the pictures score 90% or more",
    )
