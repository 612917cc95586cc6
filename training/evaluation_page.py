"""The page of an evaluation: figures, curves and the worst mistakes, in one file that needs no net.

It looks like a run's report, because it is read by the same people: the style sheet is that one's,
with what charts need added.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from seefood.errors import PictureError, SeefoodError
from seefood.image import open_upright
from seefood.printable import printable
from seefood.records import ImageRef
from seefood.report.words import count_text, short_name, shown_uri
from seefood.storage import fetch
from training.evaluate import mistakes

SIDE: Final = 240.0
"""A chart's width and height in its own units."""
_MOST_MISTAKES: Final = 60
_MOST_CLASSES: Final = 12
_MOST_CURVES: Final = 6
_MOST_CONFUSIONS: Final = 15
_THUMBNAIL: Final = 200
_NOTHING: Final = "\N{EN DASH}"
_POLICY: Final = (
    "default-src 'none'; img-src data:; style-src 'sha256-{style}'; base-uri 'none'; "
    "form-action 'none'"
)


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


@dataclass(frozen=True, slots=True)
class Tile:
    """One mistake as a picture."""

    uri: str
    name: str
    truth: str
    answer: str
    score: str
    unsure: bool
    image: str
    """A data URI; empty where there is a `reason`."""
    reason: str


def render_evaluation(document: Mapping[str, Any]) -> str:
    """Return the page of a document of `training.evaluate.measure` as HTML.

    Reads the pictures of the worst mistakes; one that is gone has its place without a picture.
    """
    environment = _environment()
    style = "\n".join(
        environment.get_template(name).render().strip() for name in ("report.css", "evaluation.css")
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    wrong = mistakes(document)
    html: str = environment.get_template(
        "evaluation.html"
    ).render(
        document=document,
        style=Markup(style),  # noqa: S704 (our own files)
        policy=_POLICY.format(style=digest),
        side=SIDE,
        figures=_figures(document),
        charts=_charts(document),
        calibration=_calibration_charts(document["calibration"]),
        matrix=_matrix(document),
        confusions=_confusions(document),
        classes=_worst_classes(document),
        mistakes=[_tile(each) for each in wrong[:_MOST_MISTAKES]],
        mistakes_left=max(0, len(wrong) - _MOST_MISTAKES),
        mistakes_total=len(wrong),
        failed=[
            (short_name(each["uri"]), printable(each["reason"])) for each in document["failed"]
        ],
    )
    return html


def percent(value: float | None, digits: int = 1) -> str:
    """Return a share as `97.3%`; a dash for none."""
    return _NOTHING if value is None else f"{value:.{digits}%}"


def with_interval(share: Mapping[str, Any]) -> str:
    """Return a share with its 95 % interval: `97.3% (95.9 to 98.2)`."""
    if share["value"] is None:
        return _NOTHING
    return f"{share['value']:.1%} ({share['low'] * 100:.1f} to {share['high'] * 100:.1f})"


def _figures(document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return name, value and note of what is read first."""
    accuracy, unsure = document["accuracy"], document["unsure"]
    calibration = document["calibration"]
    wrong = unsure["wrong_among_accepted"]
    figures = [
        ("accuracy", percent(accuracy["value"]), _between(accuracy)),
        ("pictures", f"{document['pictures']:,}", f"{len(document['failed'])} could not be read"),
        ("unsure", percent(unsure["share"]["value"]), _between(unsure["share"])),
        ("wrong among accepted", percent(wrong["value"]), _between(wrong)),
        (
            "calibration error",
            f"{calibration['after']['error']:.3f}",
            f"{calibration['before']['error']:.3f} before calibration"
            if calibration["before"]
            else "no temperature is known",
        ),
    ]
    areas = [each["roc_area"] for each in document["classes"] if each["roc_area"] is not None]
    if areas:
        note = "of either class" if len(document["classes"]) == 2 else "mean of the classes"
        figures.append(("ROC area", f"{sum(areas) / len(areas):.4f}", note))
    return figures


def _between(share: Mapping[str, Any]) -> str:
    return f"{share['low'] * 100:.1f} to {share['high'] * 100:.1f}%"


def _charts(document: Mapping[str, Any]) -> list[Chart]:
    areas = {each["label"]: each for each in document["classes"]}
    worst_first = sorted(
        document["curves"], key=lambda each: areas[each["label"]]["average_precision"] or 0.0
    )
    two = len(document["classes"]) == 2
    curves = document["curves"] if two else worst_first[:_MOST_CURVES]
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


def _calibration_charts(calibration: Mapping[str, Any]) -> list[Chart]:
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


def _matrix(document: Mapping[str, Any]) -> list[tuple[str, list[tuple[int, int, bool]]]]:
    """Return the rows of the confusion matrix: label, then count, shade (0 to 10), whether right.

    Empty for more classes than a table shows well.
    """
    labels, matrix = document["bundle"]["labels"], document["confusion"]
    if len(labels) > _MOST_CLASSES:
        return []
    rows = []
    for at, row in enumerate(matrix):
        total = sum(row)
        cells = [
            (count, -(-10 * count // total) if total else 0, at == column)
            for column, count in enumerate(row)
        ]
        rows.append((printable(labels[at]), cells))
    return rows


def _confusions(document: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    """Return the pairs that are mixed up most: truth, answer, count."""
    labels, matrix = document["bundle"]["labels"], document["confusion"]
    pairs = [
        (printable(labels[truth]), printable(labels[answer]), count)
        for truth, row in enumerate(matrix)
        for answer, count in enumerate(row)
        if count and truth != answer
    ]
    return sorted(pairs, key=lambda pair: (-pair[2], pair[:2]))[:_MOST_CONFUSIONS]


def _worst_classes(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return all classes, or those of the lowest recall where there are too many to show."""
    classes = document["classes"]
    if len(classes) <= 2 * _MOST_CLASSES:
        return list(classes)
    seen = [each for each in classes if each["recall"]["total"]]
    return sorted(seen, key=lambda each: each["recall"]["value"])[: 2 * _MOST_CLASSES]


def _tile(answer: Mapping[str, Any]) -> Tile:
    image, reason = _thumbnail(answer["uri"])
    return Tile(
        uri=shown_uri(answer["uri"]),
        name=short_name(answer["uri"]),
        truth=printable(answer["truth"]),
        answer=printable(answer["answer"]),
        score=percent(answer["score"]),
        unsure=answer["unsure"],
        image=image,
        reason=reason,
    )


def _thumbnail(uri: str) -> tuple[str, str]:
    """Return the picture at `uri` as a data URI, or why there is none."""
    try:
        image = open_upright(fetch(ImageRef(uri)), _THUMBNAIL)
    except (PictureError, SeefoodError, OSError) as error:
        return "", printable(str(error))
    stream = BytesIO()
    image.save(stream, "WEBP", quality=70, method=2)
    return f"data:image/webp;base64,{base64.b64encode(stream.getvalue()).decode()}", ""


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("training"), PackageLoader("seefood.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=percent, interval=with_interval, printable=printable)
    return environment
