"""The model card of a bundle, for people who consider using it."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from seefood.sanitize import printable
from seefood_training.metrics import Share

if TYPE_CHECKING:
    from seefood_training.release import Calibration, ExportedModel

_MAX_CLASSES: Final = 20


def render_card(
    exported: "ExportedModel",
    calibration: "Calibration",
    metrics: Mapping[str, Any],
    more: str = "",
) -> str:
    """Return the card as Markdown: the network and its figures, then `more`."""
    parts = [
        f"# Model card: {exported.name}",
        _labels(exported.labels),
        "## The network",
        _network(exported, calibration),
        "## Figures",
        "Shares are followed by their 95 % interval (Wilson).",
        *(_figures(name, figures) for name, figures in metrics.items()),
    ]
    if more:
        parts.append(more.strip())
    return "\n\n".join(parts) + "\n"


def _labels(labels: Sequence[str]) -> str:
    return f"Gives a picture one of {len(labels)} labels: {', '.join(map(_cell, labels))}."


def _network(exported: "ExportedModel", calibration: "Calibration") -> str:
    rule, record = exported.rule, exported.record
    size = f"{exported.model.count_params():,} parameters"
    lines = (
        f"{record.get('network', 'a network')} of {size}, {record.get('epochs')} epochs",
        f"input: {rule.width} x {rule.height} RGB, fit `{rule.fit}`, filter `{rule.filter}`",
        f"temperature {calibration.temperature:.3f}, which divides the logits, from validation",
        f"`unsure` below a top score of {_thresholds(calibration.thresholds, exported.labels)}",
    )
    chosen = calibration.acceptance
    said = () if chosen is None else (chosen.sentence(), chosen.curve_sentence())
    return "\n".join(f"- {line}" for line in (*lines, *said))


def _thresholds(thresholds: Sequence[float], labels: Sequence[str]) -> str:
    if len(set(thresholds)) == 1:
        return f"{thresholds[0]:.3f}"
    return ", ".join(
        f"{value:.3f} ({_cell(label)})" for value, label in zip(thresholds, labels, strict=True)
    )


def _figures(name: str, figures: Mapping[str, Any]) -> str:
    rows = [
        f"### {name.capitalize()}: {figures['pictures']} photos",
        "| figure | value |\n| --- | --- |\n"
        f"| accuracy | {_share(figures['accuracy'])} |\n"
        + "".join(
            f"| accuracy on `{source}` | {_share(share)} |\n"
            for source, share in figures.get("accuracy_by_source", {}).items()
        )
        + _copies(figures)
        + _agreement(figures)
        + f"| expected calibration error | {figures['calibration_error']:.4f} |\n"
        f"| left `unsure` | {_share(figures['unsure'])} |\n"
        f"| wrong among accepted | {_share(figures['wrong_among_accepted'])} |",
    ]
    return "\n\n".join([*rows, _confusion(figures["confusion"])])


def _confusion(confusion: Mapping[str, Mapping[str, int]]) -> str:
    """Return the counts by true and predicted class; of many classes the most frequent mistakes."""
    names = {label: _cell(label) for label in confusion}
    if len(confusion) > _MAX_CLASSES:
        mistakes = sorted(
            (-count, names[truth], names[label])
            for truth, row in confusion.items()
            for label, count in row.items()
            if count and label != truth
        )
        lines = [f"| {truth} | {label} | {-n} |" for n, truth, label in mistakes[:_MAX_CLASSES]]
        return "\n".join(["| true | predicted | photos |", "| --- | --- | --- |", *lines])
    head = "| true \\ predicted | " + " | ".join(names.values()) + " |"
    lines = [
        f"| {names[label]} | " + " | ".join(str(count) for count in row.values()) + " |"
        for label, row in confusion.items()
    ]
    return "\n".join([head, "| --- |" + " --- |" * len(confusion), *lines])


def _cell(text: str) -> str:
    """Return the name of a class as it is shown in Markdown, in one line and without mark-up."""
    return re.sub(r"([\\`*\[\]<>|])", r"\\\1", printable(text))


def _copies(figures: Mapping[str, Any]) -> str:
    """Return rows if some of the photos are copies of photos that the model was made from."""
    copies = figures.get("copies_of_training_photos")
    if not copies or not (copies["equal"] or copies["near"]):
        return ""
    count = copies["equal"] + copies["near"]
    others = Share(copies["others_right"], copies["others"])
    value = "-"
    if others.total:
        low, high = others.interval
        value = (
            f"{others.value:.4f} ({low:.4f} to {high:.4f}; {others.count:,} of {others.total:,})"
        )
    return (
        f"| **copies of training photos, which make the figures too high** | {count:,} of "
        f"{figures['pictures']:,} ({copies['equal']:,} equal, {copies['near']:,} nearly equal) |\n"
        f"| accuracy without them | {value} |\n"
    )


def _agreement(figures: Mapping[str, Any]) -> str:
    """Return a row for an integer network, nothing for a float one."""
    share = figures.get("agreement_with_float")
    return f"| same label as in floating point | {_share(share)} |\n" if share else ""


def _share(share: Mapping[str, Any]) -> str:
    if not share["of"]:
        return "-"
    low, high = share["interval_95"]
    return f"{share['value']:.4f} ({low:.4f} to {high:.4f}; {share['count']:,} of {share['of']:,})"
