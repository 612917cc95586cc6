"""`seefood evaluate`: measures a bundle on labelled photos and writes a page and a JSON file."""

import json
import re
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from seefood.cli.numbers import FloatRange
from seefood.cli.options import engine_option, model_digest_option, open_bundle
from seefood.cli.requirements import require
from seefood.cli.working import working

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seefood.bundle import Bundle
    from seefood_training.predictions import Predictions

_MAX_LABELS = 12


@click.command("evaluate")
@click.argument("bundle")
@click.argument("data", required=False)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="Folder for evaluation.html and evaluation.json, which are overwritten.",
)
@model_digest_option
@engine_option
@click.option(
    "--corrections",
    metavar="DEST",
    help="An output whose corrections count: its corrected pictures, fetched from where they lie.",
)
@click.option("--nested", is_flag=True, help="Each innermost folder of DATA is a class.")
@click.option(
    "--source-from",
    metavar="PATTERN",
    help="Accuracy by source: a regular expression over the file's name or URI, whose first group "
    "is the source.",
)
@click.option(
    "--unsure-share",
    type=FloatRange(0.0, 0.95),
    metavar="R",
    help="Also show the threshold that would leave at most this share of the pictures `unsure`, "
    "and how many of the others are wrong then. The bundle stays as it is.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the JSON document.")
def evaluate_command(  # noqa: PLR0913 (the options of the command)
    *,
    bundle: str,
    data: str | None,
    corrections: str | None,
    output: Path,
    model_digest: str | None,
    engine: str,
    nested: bool,
    source_from: str | None,
    unsure_share: float | None,
    as_json: bool,
) -> None:
    """Measure BUNDLE on DATA: a folder (or URI) with one folder of photos for each label.

    DATA may also be, or have, a table of labels (see `seefood train --help`). If it has photos to
    test with, such as test/, only those are used. With --corrections, what people said about
    pictures counts too, alone if there is no DATA. Photos that the bundle was made from are
    recognised. If the bundle runs with both litert and tensorflow, the engines are compared picture
    by picture.

    For a bundle that gives a picture several labels, DATA is or has a table with a column file_name
    and a column labels (`cat;dog`), or a column of 1 and 0 for each label.

    \b
    Examples:
      seefood evaluate bundles/flowers flowers/ --output evaluation
      seefood evaluate bundles/flowers flowers/ --output evaluation \\
        --source-from '^(cam\\d+)_'
      seefood evaluate bundles/flowers s3://photos/flowers \\
        --output evaluation --json | jq .accuracy
      seefood evaluate bundles/flowers flowers/ --output evaluation \\
        --unsure-share 0.1
      seefood evaluate bundles/flowers --corrections s3://labels/2026 \\
        --output evaluation
    """  # noqa: D301 (click's mark against re-wrapping)
    require("evaluate", "train", "sklearn", "scipy")
    from seefood.errors import UsageError

    with working("starting"):
        from seefood_training.evaluate import measure

    pattern = _pattern(source_from)
    measured_bundle = open_bundle(bundle, model_digest)
    given = nested or source_from or unsure_share is not None
    if measured_bundle.spec.multi_label and given:
        raise UsageError(
            f"{measured_bundle.name} gives a picture several labels; `--nested`, `--source-from` "
            "and `--unsure-share` are for bundles that give one: leave them out"
        )
    if measured_bundle.spec.multi_label:
        several = _Data(data, corrections, nested)
        document, page = _measured_labels(measured_bundle, several, engine, output)
    else:
        document, page = _measured(
            measured_bundle,
            _Data(data, corrections, nested),
            engine,
            output,
            partial(measure, source_from=pattern, unsure_share=unsure_share),
        )
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    _write(output, text, page)
    for warning in document["warnings"]:
        click.echo(f"warning: {warning}", err=True)
    if as_json:
        click.echo(text)
    else:
        rows = _label_rows if measured_bundle.spec.multi_label else _rows
        _print(rows(document), output)


class _Data(NamedTuple):
    """What a bundle is measured on."""

    photos: str | None
    corrections: str | None
    nested: bool


def _measured(
    bundle: "Bundle",
    data: "_Data",
    engine: str,
    output: Path,
    measure: "Callable[[Bundle, Predictions, str], dict[str, Any]]",
) -> tuple[dict[str, Any], str]:
    """Return the document and the page of a bundle that gives a picture one label."""
    from seefood_training.evaluate import choose_engines, classify_photos, labelled_photos
    from seefood_training.evaluation_page import render_evaluation
    from seefood_training.training_photos import read_training_photos

    told: list[str] = []
    photos = labelled_photos(
        data.photos,
        bundle.labels,
        nested=data.nested,
        corrections=data.corrections,
        tell=told.append,
    )
    _make_folder(output)
    with working("loading the engines"):
        engines, why_alone = choose_engines(bundle, engine)
    known = read_training_photos(bundle.path)
    with _progress(len(photos)) as observe:
        predictions = classify_photos(photos, engines, bundle.spec.rule, observe, known)
    document = measure(bundle, predictions, why_alone)
    document["warnings"] += told
    return document, render_evaluation(document)


def _measured_labels(
    bundle: "Bundle", data: "_Data", engine: str, output: Path
) -> tuple[dict[str, Any], str]:
    """Return the document and the page of a bundle that gives a picture several labels."""
    from seefood.engines.loading import load_engine
    from seefood.errors import UsageError
    from seefood_training.data import Photo
    from seefood_training.evaluate import classify_photos
    from seefood_training.evaluation_page import render_labels
    from seefood_training.layouts.label_sets import read_label_sets, with_corrected_sets
    from seefood_training.multi_label import measure_labels

    sets = None if data.photos is None else read_label_sets(data.photos, bundle.labels)
    if data.corrections is not None:
        sets = with_corrected_sets(sets, data.corrections, bundle.labels)
    if sets is None:
        raise UsageError("there are neither labelled photos nor corrections; give one of them")
    _make_folder(output)
    with working("loading the engine"):
        loaded = load_engine(bundle, engine)
    photos = [Photo(ref, row) for row, ref in enumerate(sets.photos)]
    with _progress(len(photos)) as observe:
        predictions = classify_photos(photos, [loaded], bundle.spec.rule, observe)
    failed = [*((it.uri, it.reason) for it in sets.left_out), *predictions.failed]
    truth = sets.truth[predictions.truth]
    document = measure_labels(
        bundle, loaded.name, truth, predictions.probabilities[loaded.name], failed
    )
    return document, render_labels(document)


def _make_folder(output: Path) -> None:
    from seefood.errors import UsageError

    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error}") from error


def _write(output: Path, text: str, page: str) -> None:
    from seefood.errors import JobError

    try:
        (output / "evaluation.json").write_text(text + "\n", encoding="utf-8")
        (output / "evaluation.html").write_text(page, encoding="utf-8")
    except OSError as error:
        raise JobError(f"the evaluation cannot be written to {output}: {error}") from error


def _pattern(text: str | None) -> re.Pattern[str] | None:
    """Return `--source-from` compiled. Raises `UsageError` for an invalid pattern."""
    from seefood.errors import UsageError

    if text is None:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        raise UsageError(
            f"`--source-from {text}` is not a regular expression: {error}; write one such as "
            r"'^(cam\d+)_'"
        ) from error


def _rows(document: dict[str, Any]) -> "Iterator[tuple[str, str]]":
    from seefood.risk_curve import asked_percent, describe_curve
    from seefood.sanitize import printable
    from seefood_training.evaluation_page import with_interval

    unsure, engines = document["unsure"], document["engines"]
    yield "pictures", f"{document['pictures']:,}"
    yield "accuracy", with_interval(document["accuracy"])
    copies = document["copies_of_training_photos"]
    if copies and (copies["equal"] or copies["near"]):
        without = copies["accuracy_without"]
        yield (
            "  without copies",
            f"{with_interval(without)} of {without['total']:,}" if without["total"] else "all are",
        )
    for each in document["sources"]:
        name = printable(each["source"]) or "no source"
        yield f"  {name}", with_interval(each["accuracy"])
    yield "calibration error", f"{document['calibration']['after']['error']:.4f}"
    yield "unsure", with_interval(unsure["share"])
    yield "wrong among accepted", with_interval(unsure["wrong_among_accepted"])
    if instead := unsure["if_at_most"]:
        yield (
            f"  at most {asked_percent(instead['asked'], 0)} unsure",
            (
                f"threshold {instead['threshold']:.4f}, {with_interval(instead['share'])} unsure, "
                f"{with_interval(instead['wrong_among_accepted'])} wrong among accepted"
            ),
        )
    yield "  by threshold", describe_curve(unsure["by_share"])
    if len(engines["compared"]) > 1:
        same = engines["same_label"]
        yield (
            " and ".join(engines["compared"]),
            (
                f"same label on {same['count']:,} of {same['total']:,}, "
                f"probabilities within {engines['largest_difference']:.1e}"
            ),
        )
    else:
        yield "engines", f"only {engines['compared'][0]}: {engines['why_not']}"
    if document["failed"]:
        yield "could not be read", f"{len(document['failed']):,}"


def _label_rows(document: dict[str, Any]) -> "Iterator[tuple[str, str]]":
    from seefood.sanitize import printable
    from seefood_training.evaluation_page import with_interval

    yield "pictures", f"{document['pictures']:,}"
    yield "recall", with_interval(document["recall"])
    yield "precision", with_interval(document["precision"])
    yield "F1", "none" if document["f1"] is None else f"{document['f1']:.3f}"
    yield "all labels right", with_interval(document["all_labels_right"])
    yield "calibration error", f"{document['calibration_error']:.4f}"
    for each in document["labels"][:_MAX_LABELS]:
        score = "none" if each["f1"] is None else f"{each['f1']:.3f}"
        yield (
            f"  {printable(each['label'])}",
            f"F1 {score}, threshold {each['threshold']:.3f}, holds for {each['holds_for']:,}",
        )
    if document["failed"]:
        yield "could not be read", f"{len(document['failed']):,}"


def _print(rows: "Iterator[tuple[str, str]]", output: Path) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in rows:
        table.add_row(Text(name), value)
    console = Console(highlight=False)
    console.print(table)
    console.print(Text(str(output / "evaluation.html")), soft_wrap=True)


@contextmanager
def _progress(total: int) -> "Iterator[Callable[[int], None]]":
    """Yield an observer that shows a progress bar on stderr if it is a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn

    from seefood.runs.bars import Bars
    from seefood.runs.progress import can_draw

    columns = ("evaluating", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, disable=not can_draw()) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)
