"""The model card: what a bundle says of itself to the person who thinks of using it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seefood_training.release import Calibration, ExportedModel


def write_card(
    product: "ExportedModel",
    calibration: "Calibration",
    metrics: Mapping[str, Any],
    more: str = "",
) -> str:
    """Return the card as Markdown: what was measured, then `more`."""
    parts = [
        f"# Model card: {product.name}",
        _answers(product.labels),
        "## The network",
        _network(product, calibration),
        "## Figures",
        "Shares stand with their 95 % interval (Wilson).",
        *(_figures(name, figures) for name, figures in metrics.items()),
    ]
    if more:
        parts.append(more.strip())
    return "\n\n".join(parts) + "\n"


def _answers(labels: Sequence[str]) -> str:
    return f"Answers one of {len(labels)} labels for a picture: `{'`, `'.join(labels)}`."


def _network(product: "ExportedModel", calibration: "Calibration") -> str:
    rule, record = product.rule, product.record
    size = f"{product.model.count_params():,} parameters"
    lines = (
        f"{record.get('network', 'a network')} of {size}, {record.get('epochs')} epochs",
        f"input: {rule.width} x {rule.height} RGB, fit `{rule.fit}`, filter `{rule.filter}`",
        f"logits are divided by a temperature of {calibration.temperature:.3f}, from validation",
        f"`unsure` below a top score of {_thresholds(calibration.thresholds, product.labels)}",
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
        "| what | value |\n| --- | --- |\n"
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
    head = "| is \\ said | " + " | ".join(confusion) + " |\n| --- |" + " --- |" * len(confusion)
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
