"""The charts of an evaluation, which the template draws as inline SVG."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from seefood.report.formatting import count_text
from seefood.sanitize import printable

SIDE: Final = 240.0
"""A chart's width and height in SVG units."""
_MAX_CURVES: Final = 6
_NOTHING: Final = "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart."""

    label: str
    tone: str
    points: str
    """In the syntax of SVG's `points`."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A square plot of lines or dots."""

    title: str
    note: str
    x: str
    y: str
    x_range: tuple[str, str]
    y_range: tuple[str, str]
    lines: Sequence[Line] = ()
    dots: Sequence[tuple[float, float, float, str]] = ()
    """Centre x and y, radius, and tooltip."""
    has_diagonal: bool = False
    mark: float | None = None
    """The x of a vertical line."""


def percent(value: float | None, digits: int = 1) -> str:
    """Return a share as `97.3%`; a dash for None."""
    return _NOTHING if value is None else f"{value:.{digits}%}"


def curve_charts(document: Mapping[str, Any]) -> list[Chart]:
    """Return the charts of ROC, precision and recall, and mistakes by share accepted."""
    areas = {each["label"]: each for each in document["classes"]}
    worst_first = sorted(
        document["curves"], key=lambda each: areas[each["label"]]["average_precision"] or 0.0
    )
    two = len(document["classes"]) == 2
    curves = document["curves"] if two else worst_first[:_MAX_CURVES]
    worst = (
        "The classes with the lowest average precision. "
        if len(curves) < len(document["curves"])
        else ""
    )
    shown = curves[:1] if two else curves  # of two classes, the second ROC curve mirrors the first
    unsure = document["unsure"]
    risk = unsure["curve"]
    highest = max(0.05, *(point[1] for point in risk))
    return [
        Chart(
            "ROC",
            f"{worst}Recall over the false-positive rate, at every threshold.",
            "false-positive rate",
            "recall",
            ("0%", "100%"),
            ("0%", "100%"),
            [
                Line(
                    _legend(each, areas, "roc_area"),
                    f"tone-{at}",
                    _polyline(each["roc"]),
                )
                for at, each in enumerate(shown)
            ],
            has_diagonal=True,
        ),
        Chart(
            "Precision and recall",
            f"{worst}Precision over recall, at every threshold.",
            "recall",
            "precision",
            ("0%", "100%"),
            ("0%", "100%"),
            [
                Line(
                    _legend(each, areas, "average_precision"),
                    f"tone-{at}",
                    _polyline(each["precision_recall"]),
                )
                for at, each in enumerate(curves)
            ],
        ),
        Chart(
            "Mistakes by share accepted",
            "The share of mistakes among the pictures with the highest scores; the line marks "
            "the bundle's thresholds.",
            "share accepted",
            "wrong",
            ("0%", "100%"),
            ("0%", percent(highest)),
            [Line("", "tone-0", _polyline([[x, y / highest] for x, y in risk]))],
            mark=round((1 - (unsure["share"]["value"] or 0.0)) * SIDE, 1),
        ),
    ]


def _legend(curve: Mapping[str, Any], classes: Mapping[str, Any], area: str) -> str:
    return f"{printable(curve['label'])}, area {classes[curve['label']][area]:.4f}"


def calibration_charts(calibration: Mapping[str, Any]) -> list[Chart]:
    """Return reliability diagrams after calibration and, if the temperature is known, before."""
    charts = []
    for key, title in (("before", "Before calibration"), ("after", "As shipped")):
        part = calibration[key]
        if part is None:
            continue
        largest = max(each["count"] for each in part["bins"])
        charts.append(
            Chart(
                title,
                f"Calibration error {part['error']:.4f}. Each dot is a group of pictures with "
                "similar scores; on the line, accuracy equals the score.",
                "score",
                "accuracy",
                ("0%", "100%"),
                ("0%", "100%"),
                dots=[
                    (
                        round(each["confidence"] * SIDE, 1),
                        round((1 - each["accuracy"]) * SIDE, 1),
                        round(2.5 + 8.5 * (each["count"] / largest) ** 0.5, 1),
                        (
                            f"{count_text(each['count'], 'picture')}: score "
                            f"{each['confidence']:.1%}, right {each['accuracy']:.1%}"
                        ),
                    )
                    for each in part["bins"]
                ],
                has_diagonal=True,
            )
        )
    return charts


def _polyline(points: Iterable[Sequence[float]]) -> str:
    return " ".join(f"{x * SIDE:.1f},{(1 - y) * SIDE:.1f}" for x, y in points)
