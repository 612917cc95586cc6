"""The page of an evaluation: figures, curves and the worst mistakes, in one self-contained file."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from seefood.pages import DOCUMENT, PageTemplates, Tile
from seefood.records import ImageRef
from seefood.report.formatting import short_name, shown_uri
from seefood.report.thumbnails import make_thumbnails
from seefood.risk_curve import asked_percent
from seefood.sanitize import printable
from seefood.storage import fetch
from seefood_training.class_table import class_table
from seefood_training.evaluate import mistakes
from seefood_training.evaluation_charts import SIDE, calibration_charts, curve_charts, percent

_MAX_MISTAKES: Final = 60
_MAX_CLASSES: Final = 12
_MAX_CONFUSIONS: Final = 15


def render_evaluation(document: Mapping[str, Any]) -> str:
    """Return the page of a document of `seefood_training.evaluate.measure` as HTML.

    Reads the pictures of the worst mistakes; one that cannot be read is shown without a picture.
    """
    classes = class_table(document)
    wrong = mistakes(document)
    return _TEMPLATES.render(
        "evaluation.html",
        replace(DOCUMENT, rules=classes.style),
        document=document,
        side=SIDE,
        figures=_figures(document),
        charts=curve_charts(document),
        calibration=calibration_charts(document["calibration"]),
        matrix=_matrix(document),
        confusions=_confusions(document),
        classes=classes,
        mistakes=_tiles(wrong[:_MAX_MISTAKES]),
        mistakes_left=max(0, len(wrong) - _MAX_MISTAKES),
        mistakes_total=len(wrong),
        failed=_failed(document),
    )


def render_labels(document: Mapping[str, Any]) -> str:
    """Return the page of a document of `seefood_training.multi_label.measure_labels` as HTML."""
    return _TEMPLATES.render("multi_label.html", document=document, failed=_failed(document))


def _failed(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(short_name(each["uri"]), printable(each["reason"])) for each in document["failed"]]


def with_interval(share: Mapping[str, Any]) -> str:
    """Return a share with its 95 % interval: `97.3% (95.9 to 98.2)`."""
    if share["value"] is None:
        return percent(None)
    return f"{share['value']:.1%} ({share['low'] * 100:.1f} to {share['high'] * 100:.1f})"


_TEMPLATES: Final = PageTemplates(
    "seefood_training",
    filters={"percent": percent, "interval": with_interval, "printable": printable},
)


def _figures(document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return name, value and note of the main figures."""
    accuracy, unsure = document["accuracy"], document["unsure"]
    calibration = document["calibration"]
    wrong, instead = unsure["wrong_among_accepted"], unsure["if_at_most"]
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
    if instead:
        reached = instead["wrong_among_accepted"]
        note = f"{_between(reached)}, threshold {instead['threshold']:.3f}"
        name = f"wrong if at most {asked_percent(instead['asked'], 0)} unsure"
        figures.insert(4, (name, percent(reached["value"]), note))
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


def _tiles(wrong: Sequence[Mapping[str, Any]]) -> list[Tile]:
    thumbnails = make_thumbnails((ImageRef(each["uri"]) for each in wrong), fetch)
    return [
        Tile(
            name=short_name(each["uri"]),
            uri=shown_uri(each["uri"]),
            thumbnail=thumbnails[each["uri"]],
            label=printable(each["answer"]),
            score=percent(each["score"]),
            tone="not-hotdog",
            unsure=each["unsure"],
            note=f"true label: {printable(each['truth'])}",
        )
        for each in wrong
    ]
