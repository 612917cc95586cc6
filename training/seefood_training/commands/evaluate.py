"""`seefood evaluate`: measures a bundle on labelled photos and writes a page and a JSON file."""

import json
import re
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seefood.cli.options import engine_option, model_digest_option, open_bundle
from seefood_training.commands.requirements import require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@click.command("evaluate")
@click.argument("bundle")
@click.argument("data")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="Folder for evaluation.html and evaluation.json, which are overwritten.",
)
@model_digest_option
@engine_option
@click.option("--nested", is_flag=True, help="Each innermost folder of DATA is a class.")
@click.option(
    "--source-from",
    metavar="PATTERN",
    help="Accuracy by source: a regular expression over the file's name or URI, whose first group "
    "is the source.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the JSON document.")
def evaluate_command(  # noqa: PLR0913 (the options of the command)
    *,
    bundle: str,
    data: str,
    output: Path,
    model_digest: str | None,
    engine: str,
    nested: bool,
    source_from: str | None,
    as_json: bool,
) -> None:
    """Measure BUNDLE on DATA: a folder (or URI) with one folder of photos for each label.

    DATA may also be, or have, a table of labels (see `seefood train --help`). If it has photos to
    test with, such as test/, only those are used. Photos that the bundle was made from are
    recognised. If the bundle runs with both litert and tensorflow, the engines are compared picture
    by picture.

    \b
    Examples:
      seefood evaluate bundles/flowers flowers/ --output evaluation
      seefood evaluate bundles/flowers flowers/ --output evaluation --source-from '^(cam\\d+)_'
      seefood evaluate bundles/flowers s3://photos/flowers --output evaluation --json | jq .accuracy
    """  # noqa: D301 (click's mark against re-wrapping)
    require("evaluate", "train", "sklearn", "scipy")
    from seefood.errors import JobError, UsageError
    from seefood_training.evaluate import choose_engines, classify_photos, labelled_photos, measure
    from seefood_training.evaluation_page import render_evaluation, with_interval
    from seefood_training.training_photos import read_training_photos

    pattern = _pattern(source_from)
    measured_bundle = open_bundle(bundle, model_digest)
    photos = labelled_photos(data, measured_bundle.labels, nested=nested)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error}") from error
    engines, why_alone = choose_engines(measured_bundle, engine)
    with _progress(len(photos)) as observe:
        predictions = classify_photos(
            photos,
            engines,
            measured_bundle.spec.rule,
            observe,
            read_training_photos(measured_bundle.path),
        )
    document = measure(measured_bundle, predictions, why_alone, pattern)
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    try:
        (output / "evaluation.json").write_text(text + "\n", encoding="utf-8")
        (output / "evaluation.html").write_text(render_evaluation(document), encoding="utf-8")
    except OSError as error:
        raise JobError(f"the evaluation cannot be written to {output}: {error}") from error
    for warning in document["warnings"]:
        click.echo(f"warning: {warning}", err=True)
    if as_json:
        click.echo(text)
    else:
        _print(document, output, with_interval)


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


def _print(document: dict[str, Any], output: Path, with_interval: "Callable[[Any], str]") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from seefood.sanitize import printable

    table = Table(box=None, pad_edge=False, show_header=False)
    unsure, engines = document["unsure"], document["engines"]
    table.add_row("pictures", f"{document['pictures']:,}")
    table.add_row("accuracy", with_interval(document["accuracy"]))
    copies = document["copies_of_training_photos"]
    if copies and (copies["equal"] or copies["near"]):
        without = copies["accuracy_without"]
        table.add_row(
            "  without copies",
            f"{with_interval(without)} of {without['total']:,}" if without["total"] else "all are",
        )
    for each in document["sources"]:
        name = printable(each["source"]) or "no source"
        table.add_row(Text(f"  {name}"), with_interval(each["accuracy"]))
    table.add_row("calibration error", f"{document['calibration']['after']['error']:.4f}")
    table.add_row("unsure", with_interval(unsure["share"]))
    table.add_row("wrong among accepted", with_interval(unsure["wrong_among_accepted"]))
    if len(engines["compared"]) > 1:
        same = engines["same_label"]
        table.add_row(
            " and ".join(engines["compared"]),
            f"same label on {same['count']:,} of {same['total']:,}, "
            f"probabilities within {engines['largest_difference']:.1e}",
        )
    else:
        table.add_row("engines", f"only {engines['compared'][0]}: {engines['why_not']}")
    if document["failed"]:
        table.add_row("could not be read", f"{len(document['failed']):,}")
    console = Console(highlight=False)
    console.print(table)
    console.print(Text(str(output / "evaluation.html")), soft_wrap=True)


@contextmanager
def _progress(total: int) -> "Iterator[Callable[[int], None]]":
    """Yield an observer that shows a progress bar on stderr if it is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    columns = ("evaluating", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)
