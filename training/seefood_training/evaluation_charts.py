"""The geometry of an evaluation's charts; the template draws them as inline SVG."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from seefood.report.words import count_text
from seefood.sanitize import printable

SIDE: Final = 240.0
"""A chart's width and height in its own units."""
_MAX_CURVES: Final = 6
_NOTHING: Final = "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart."""

    label: str
    tone: str
    points: str
    """As SVG's `points` has them."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A square with lines or dots in it."""

    title: str
    note: str
    x: str
    y: str
    x_range: tuple[str, str]
    y_range: tuple[str, str]
    lines: Sequence[Line] = ()
    dots: Sequence[tuple[float, float, float, str]] = ()
    """Centre, radius, and what it says when pointed at."""
    diagonal: str = ""
    """`up` where a perfect answer lies on it, `down` for none."""
    mark: float | None = None
    """Where a vertical line stands."""


def percent(value: float | None, digits: int = 1) -> str:
    """Return a share as `97.3%`; a dash for none."""
    return _NOTHING if value is None else f"{value:.{digits}%}"


def curve_charts(document: Mapping[str, Any]) -> list[Chart]:
    """Return ROC, precision over recall, and mistakes over the share accepted."""
    areas = {each["label"]: each for each in document["classes"]}
    worst_first = sorted(
        document["curves"], key=lambda each: areas[each["label"]]["average_precision"] or 0.0
    )
    two = len(document["classes"]) == 2
    curves = document["curves"] if two else worst_first[:_MAX_CURVES]
    worst = "The classes that fare worst. " if len(curves) < len(document["curves"]) else ""
    shown = curves[:1] if two else curves  # of two, the second's ROC curve is the first's, mirrored
    unsure = document["unsure"]
    risk = unsure["curve"]
    highest = max(0.05, *(point[1] for point in risk))
    return [
        Chart(
            "ROC",
            f"{worst}How many of a class are found, for how many false alarms.",
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
            diagonal="up",
        ),
        Chart(
            "Precision and recall",
            f"{worst}How many of what is called a class are of it, for how many of it are found.",
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
            "What leaving out the unsure gains",
            "The share of mistakes among the pictures with the highest scores; the line stands "
            "where the bundle's thresholds are.",
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
    """Return the reliability diagrams before (if the temperature is known) and after."""
    charts = []
    for key, title in (("before", "Before calibration"), ("after", "As shipped")):
        part = calibration[key]
        if part is None:
            continue
        most = max(each["count"] for each in part["bins"])
        charts.append(
            Chart(
                title,
                f"Calibration error {part['error']:.4f}. Each dot is the pictures of similar "
                "scores; on the line, scores mean what they say.",
                "score",
                "accuracy",
                ("0%", "100%"),
                ("0%", "100%"),
                dots=[
                    (
                        round(each["confidence"] * SIDE, 1),
                        round((1 - each["accuracy"]) * SIDE, 1),
                        round(2.5 + 8.5 * (each["count"] / most) ** 0.5, 1),
                        (
                            f"{count_text(each['count'], 'picture')}: score "
                            f"{each['confidence']:.1%}, right {each['accuracy']:.1%}"
                        ),
                    )
                    for each in part["bins"]
                ],
                diagonal="up",
            )
        )
    return charts


def _polyline(points: Iterable[Sequence[float]]) -> str:
    return " ".join(f"{x * SIDE:.1f},{(1 - y) * SIDE:.1f}" for x, y in points)
