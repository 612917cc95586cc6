"""The page of an evaluation: figures, curves and the worst mistakes, in one self-contained file.

It uses the style sheet of the run report, plus rules for the charts.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from seefood.errors import PictureError, SeefoodError
from seefood.imaging.decode import open_upright
from seefood.records import ImageRef
from seefood.report.formatting import short_name, shown_uri
from seefood.sanitize import printable
from seefood.storage import fetch
from seefood_training.class_table import class_table
from seefood_training.evaluate import mistakes
from seefood_training.evaluation_charts import SIDE, calibration_charts, curve_charts, percent

_MAX_MISTAKES: Final = 60
_MAX_CLASSES: Final = 12
_MAX_CONFUSIONS: Final = 15
_THUMBNAIL: Final = 200
_POLICY: Final = (
    "default-src 'none'; img-src data:; style-src 'sha256-{style}'; base-uri 'none'; "
    "form-action 'none'"
)


@dataclass(frozen=True, slots=True)
class Tile:
    """One mistake as a picture."""

    uri: str
    name: str
    truth: str
    predicted: str
    score: str
    unsure: bool
    image: str
    """A data URI; empty if there is a `reason`."""
    reason: str


def render_evaluation(document: Mapping[str, Any]) -> str:
    """Return the page of a document of `seefood_training.evaluate.measure` as HTML.

    Reads the pictures of the worst mistakes; one that cannot be read is shown without a picture.
    """
    environment = _environment()
    sheets = ("report.css", "evaluation.css")
    classes = class_table(document)
    style = "\n".join(
        [*(environment.get_template(name).render().strip() for name in sheets), classes.style]
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
        charts=curve_charts(document),
        calibration=calibration_charts(document["calibration"]),
        matrix=_matrix(document),
        confusions=_confusions(document),
        classes=classes,
        mistakes=[_tile(each) for each in wrong[:_MAX_MISTAKES]],
        mistakes_left=max(0, len(wrong) - _MAX_MISTAKES),
        mistakes_total=len(wrong),
        failed=[
            (short_name(each["uri"]), printable(each["reason"])) for each in document["failed"]
        ],
    )
    return html


def with_interval(share: Mapping[str, Any]) -> str:
    """Return a share with its 95 % interval: `97.3% (95.9 to 98.2)`."""
    if share["value"] is None:
        return percent(None)
    return f"{share['value']:.1%} ({share['low'] * 100:.1f} to {share['high'] * 100:.1f})"


def _figures(document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return name, value and note of the main figures."""
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
            else "no temperature recorded",
        ),
    ]
    if (copies := document["copies_of_training_photos"]) and (copies["equal"] or copies["near"]):
        without = copies["accuracy_without"]
        figures.insert(1, ("accuracy without copies", percent(without["value"]), _between(without)))
    areas = [each["roc_area"] for each in document["classes"] if each["roc_area"] is not None]
    if areas:
        note = "of either class" if len(document["classes"]) == 2 else "mean of the classes"
        figures.append(("ROC area", f"{sum(areas) / len(areas):.4f}", note))
    return figures


def _between(share: Mapping[str, Any]) -> str:
    return f"{share['low'] * 100:.1f} to {share['high'] * 100:.1f}%"


def _matrix(document: Mapping[str, Any]) -> list[tuple[str, list[tuple[int, int, bool]]]]:
    """Return the rows of the confusion matrix: label, then count, shade (0 to 10), whether right.

    Empty for more than 12 classes.
    """
    labels, matrix = document["bundle"]["labels"], document["confusion"]
    if len(labels) > _MAX_CLASSES:
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


def _confusions(document: Mapping[str, Any]) -> list[tuple[str, str, int, int]]:
    """Return the most frequent confusions: true label, predicted label, count, of how many."""
    labels, matrix = document["bundle"]["labels"], document["confusion"]
    pairs = [
        (printable(labels[truth]), printable(labels[predicted]), count, sum(row))
        for truth, row in enumerate(matrix)
        for predicted, count in enumerate(row)
        if count and truth != predicted
    ]
    return sorted(pairs, key=lambda pair: (-pair[2], pair[:2]))[:_MAX_CONFUSIONS]


def _tile(mistake: Mapping[str, Any]) -> Tile:
    image, reason = _thumbnail(mistake["uri"])
    return Tile(
        uri=shown_uri(mistake["uri"]),
        name=short_name(mistake["uri"]),
        truth=printable(mistake["truth"]),
        predicted=printable(mistake["answer"]),
        score=percent(mistake["score"]),
        unsure=mistake["unsure"],
        image=image,
        reason=reason,
    )


def _thumbnail(uri: str) -> tuple[str, str]:
    """Return the picture at `uri` as a data URI, or the reason why there is none."""
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
        loader=ChoiceLoader([PackageLoader("seefood_training"), PackageLoader("seefood.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=percent, interval=with_interval, printable=printable)
    return environment
