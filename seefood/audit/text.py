"""The estimates of an audit as lines for a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

from seefood.sanitize import printable


def estimate_lines(estimates: Mapping[str, Any], failed: int) -> Iterator[str]:
    """Yield the lines of what `Estimates.as_json` returns, with ends of intervals in brackets."""
    confidence = f"{estimates['confidence']:.4g}"
    answers, population = estimates["answers"], estimates["population"]
    yield (
        f"{_counted(answers, 'answer')} about {_counted(population, 'labelled picture')}, "
        f"intervals with confidence {float(confidence):.4g}"
    )
    yield f"accuracy  {share_text(estimates['accuracy'])}"
    if failed:
        verb = "is" if failed == 1 else "are"
        yield f"{_counted(failed, 'picture')} without a label {verb} not counted"
    yield f"{'label':<24} {'said':>9}  {'true':<32} {'precision':<24} recall"
    for label, item in estimates["labels"].items():
        true = item["true"]
        count = f"{true['estimate']:,.0f} [{true['low']:,.0f}, {true['high']:,.0f}]"
        yield (
            f"{printable(label):<24} {item['said']:>9,}  {count:<32} "
            f"{share_text(item['precision']):<24} {share_text(item['recall'])}"
        )
    threshold = estimates["threshold"]
    yield (
        f"scores of at least {threshold['at']:.4f} leave at most {threshold['error']:.4g} errors"
        if threshold
        else "no threshold is shown to leave so few errors; a smaller --within may show one"
    )


def share_text(interval: Mapping[str, float]) -> str:
    """Return an interval of a share in percent."""
    return f"{interval['estimate']:.1%} [{interval['low']:.1%}, {interval['high']:.1%}]"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
