"""The model card of a bundle, for people who consider using it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seefood_training.release import Calibration, ExportedModel


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
    return f"Gives a picture one of {len(labels)} labels: `{'`, `'.join(labels)}`."


def _network(exported: "ExportedModel", calibration: "Calibration") -> str:
    rule, record = exported.rule, exported.record
    size = f"{exported.model.count_params():,} parameters"
    lines = (
        f"{record.get('network', 'a network')} of {size}, {record.get('epochs')} epochs",
        f"input: {rule.width} x {rule.height} RGB, fit `{rule.fit}`, filter `{rule.filter}`",
        f"temperature {calibration.temperature:.3f}, which divides the logits, from validation",
        f"`unsure` below a top score of {_thresholds(calibration.thresholds, exported.labels)}",
        f"at most {calibration.wrong_share:.0%} of the accepted validation photos are wrong",
    )
    return "\n".join(f"- {line}" for line in lines)


def _thresholds(thresholds: Sequence[float], labels: Sequence[str]) -> str:
    if len(set(thresholds)) == 1:
        return f"{thresholds[0]:.3f}"
    return ", ".join(
        f"{value:.3f} ({label})" for value, label in zip(thresholds, labels, strict=True)
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
        + _agreement(figures)
        + f"| expected calibration error | {figures['calibration_error']:.4f} |\n"
        f"| left `unsure` | {_share(figures['unsure'])} |\n"
        f"| wrong among accepted | {_share(figures['wrong_among_accepted'])} |",
    ]
    confusion = figures["confusion"]
    head = (
        "| true \\ predicted | " + " | ".join(confusion) + " |\n| --- |" + " --- |" * len(confusion)
    )
    body = "\n".join(
        f"| {label} | " + " | ".join(str(count) for count in row.values()) + " |"
        for label, row in confusion.items()
    )
    return "\n\n".join([*rows, f"{head}\n{body}"])


def _agreement(figures: Mapping[str, Any]) -> str:
    """Return a row for an integer network, nothing for a float one."""
    share = figures.get("agreement_with_float")
    return f"| same label as in floating point | {_share(share)} |\n" if share else ""


def _share(share: Mapping[str, Any]) -> str:
    if not share["of"]:
        return "-"
    low, high = share["interval_95"]
    return f"{share['value']:.4f} ({low:.4f} to {high:.4f}; {share['count']:,} of {share['of']:,})"
