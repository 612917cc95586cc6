"""The estimates of an audit as lines for a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from seefood.sanitize import printable

_HEAD: Final = ("label", "said", "true", "precision", "recall")


def estimate_lines(estimates: Mapping[str, Any], failed: int) -> Iterator[str]:
    """Yield the lines of what `Estimates.as_json` returns, with ends of intervals in brackets."""
    answers, population = estimates["answers"], estimates["population"]
    yield (
        f"{_counted(answers, 'answer')} about {_counted(population, 'labelled picture')}, "
        f"intervals with a confidence of {_percent(estimates['confidence'])}"
    )
    yield f"accuracy  {share_text(estimates['accuracy'])}"
    if failed:
        verb = "is" if failed == 1 else "are"
        yield f"{_counted(failed, 'picture')} without a label {verb} not counted"
    yield from _aligned([_HEAD, *map(_cells, estimates["labels"].items())])
    threshold = estimates["threshold"]
    yield (
        f"scores of at least {threshold['at']:.4f} are wrong in at most "
        f"{_percent(threshold['error'])}"
        if threshold
        else "no threshold is shown to leave so few errors; a smaller --within may show one"
    )


def _cells(labelled: tuple[str, Mapping[str, Any]]) -> tuple[str, ...]:
    label, item = labelled
    true = item["true"]
    count = f"{true['estimate']:,.0f} [{true['low']:,.0f}, {true['high']:,.0f}]"
    shares = share_text(item["precision"]), share_text(item["recall"])
    return printable(label), f"{item['said']:,}", count, *shares


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the rows with columns as wide as their widest cell; the second one is of numbers."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        cells[1] = row[1].rjust(widths[1])
        yield "  ".join(cells).rstrip()


def _percent(share: float) -> str:
    return f"{100 * share:.4g}%"


def share_text(interval: Mapping[str, float]) -> str:
    """Return an interval of a share in percent."""
    return f"{interval['estimate']:.1%} [{interval['low']:.1%}, {interval['high']:.1%}]"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
